//! A provider's authorization server: consents, codes, access and refresh tokens, all in memory.
//!
//! It decides by the provider's [`Rules`] and remembers; how a refusal looks on the wire is the provider's
//! business. Nothing here prints itself: every map's keys are secrets.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::asked::Asked;
use crate::call::Params;
use crate::mint::Mint;
use crate::rules::{Issued, Realm, RefreshRule, Refusal, Rules};
use crate::window::after;
use crate::{Client, Stats};

/// How long a consent page may stay unanswered.
const PAGE_LIVES: Duration = Duration::from_secs(600);

/// What one person granted.
pub(crate) struct Grant {
    pub(crate) scopes: Vec<String>,
    realm: Realm,
}

struct Page {
    csrf: String,
    asked: Asked,
    expires: Timestamp,
}

struct Code {
    grant: u64,
    redirect_uri: String,
    challenge: Option<String>,
    gives_refresh: bool,
    expires: Timestamp,
    is_used: bool,
}

struct Access {
    grant: u64,
    expires: Option<Timestamp>,
}

struct Refresh {
    grant: u64,
    is_used: bool,
}

/// The authorization server of one provider.
pub(crate) struct Desk {
    pub(crate) client_id: &'static str,
    pub(crate) stats: Stats,
    secret: SecretString,
    rules: Rules,
    mint: Mint,
    pages: HashMap<String, Page>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    /// Grants alive; one that is ended is taken out, and its tokens lead nowhere.
    grants: HashMap<u64, Grant>,
    granted: u64,
    consented: HashSet<Realm>,
}

impl Desk {
    /// A desk that knows one client and has given nothing yet.
    pub(crate) fn new(client_id: &'static str, rules: Rules, mut mint: Mint) -> Self {
        Self {
            client_id,
            stats: Stats::default(),
            secret: SecretString::from(mint.word()),
            rules,
            mint,
            pages: HashMap::new(),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            grants: HashMap::new(),
            granted: 0,
            consented: HashSet::new(),
        }
    }

    /// The client this desk knows.
    pub(crate) fn client(&self) -> Client {
        Client { id: self.client_id.to_owned(), secret: self.secret.clone() }
    }

    /// A random word, for a request id.
    pub(crate) fn word(&mut self) -> String {
        self.mint.word()
    }

    /// Remembers a request that is being put to a person; gives the page's cookie and its form's token.
    pub(crate) fn open_page(&mut self, asked: Asked, now: Timestamp) -> (String, String) {
        self.pages.retain(|_, page| page.expires > now);
        let (cookie, csrf) = (self.mint.word(), self.mint.word());
        let page = Page { csrf: csrf.clone(), asked, expires: after(now, PAGE_LIVES) };
        self.pages.insert(cookie.clone(), page);
        (cookie, csrf)
    }

    /// The request of a page that is being answered; a page is answered once.
    pub(crate) fn close_page(&mut self, cookie: &str, csrf: &str, now: Timestamp) -> Option<Asked> {
        let page = self.pages.get(cookie).filter(|page| page.csrf == csrf && page.expires > now)?;
        let asked = page.asked.clone();
        self.pages.remove(cookie);
        Some(asked)
    }

    /// Writes down that a person allowed it, and gives the code for it.
    pub(crate) fn allow(&mut self, asked: &Asked, realm: Realm, now: Timestamp) -> String {
        self.stats.authorizations += 1;
        self.granted += 1;
        let is_first = self.consented.insert(realm);
        self.grants.insert(self.granted, Grant { scopes: asked.scopes.clone(), realm });
        let code = format!("{}{}", self.rules.looks.code, (self.rules.looks.write)(&mut self.mint));
        let entry = Code {
            grant: self.granted,
            redirect_uri: asked.redirect_uri.clone(),
            challenge: asked.challenge.clone(),
            gives_refresh: match self.rules.refresh {
                RefreshRule::None => false,
                RefreshRule::SingleUse => true,
                RefreshRule::OfflineOnce => asked.is_offline && (is_first || asked.forces_consent),
            },
            expires: after(now, self.rules.code_lives),
            is_used: false,
        };
        self.codes.insert(code.clone(), entry);
        code
    }

    /// Answers a token request of either kind (RFC 6749 sections 4.1.3 and 6).
    pub(crate) fn exchange(
        &mut self,
        params: &Params,
        realm: Realm,
        now: Timestamp,
    ) -> Result<Issued, Refusal> {
        self.authenticate(params)?;
        match params.get("grant_type") {
            Some("authorization_code") => self.redeem(params, realm, now),
            Some("refresh_token") if self.rules.refresh != RefreshRule::None => {
                self.renew(params, realm, now)
            }
            Some(_) => Err(Refusal::GrantType),
            None => Err(Refusal::Missing("grant_type")),
        }
    }

    /// Checks the client's id and secret, which travel in the body.
    pub(crate) fn authenticate(&self, params: &Params) -> Result<(), Refusal> {
        let id = params.get("client_id").ok_or(Refusal::Missing("client_id"))?;
        let secret = params.get("client_secret").ok_or(Refusal::Missing("client_secret"))?;
        if id != self.client_id {
            return Err(Refusal::Client);
        }
        if secret == self.secret.expose_secret() { Ok(()) } else { Err(Refusal::Secret) }
    }

    /// Gives tokens for a code; a code used twice ends what it gave (RFC 6749 section 4.1.2).
    pub(crate) fn redeem(
        &mut self,
        params: &Params,
        realm: Realm,
        now: Timestamp,
    ) -> Result<Issued, Refusal> {
        let text = params.get("code").ok_or(Refusal::Missing("code"))?;
        let code = self.codes.get_mut(text).ok_or(Refusal::Code)?;
        if code.is_used {
            self.grants.remove(&code.grant);
            return Err(Refusal::Code);
        }
        let is_here = self.grants.get(&code.grant).is_some_and(|grant| grant.realm == realm);
        if !is_here || code.expires <= now {
            return Err(Refusal::Code);
        }
        if self.rules.repeats_redirect && params.get("redirect_uri") != Some(&code.redirect_uri) {
            return Err(Refusal::Redirect);
        }
        if !verifies(code.challenge.as_deref(), params.get("code_verifier")) {
            return Err(Refusal::Verifier);
        }
        code.is_used = true;
        let (grant, gives_refresh) = (code.grant, code.gives_refresh);
        self.stats.codes += 1;
        let refresh = gives_refresh.then(|| self.give_refresh(grant));
        self.give_access(grant, refresh, now).ok_or(Refusal::Code)
    }

    /// Whether a refresh token would be taken in this realm.
    pub(crate) fn takes_refresh(&self, token: &str, realm: Realm) -> bool {
        let grant = self.refresh.get(token).and_then(|refresh| self.grants.get(&refresh.grant));
        grant.is_some_and(|grant| grant.realm == realm)
    }

    fn renew(&mut self, params: &Params, realm: Realm, now: Timestamp) -> Result<Issued, Refusal> {
        let text = params.get("refresh_token").ok_or(Refusal::Missing("refresh_token"))?;
        if !self.takes_refresh(text, realm) {
            return Err(Refusal::RefreshToken);
        }
        let entry = self.refresh.get_mut(text).ok_or(Refusal::RefreshToken)?;
        let grant = entry.grant;
        if entry.is_used {
            // Either the thief or the owner is late; ending the grant stops both (RFC 9700 section 4.14.2).
            self.grants.remove(&grant);
            return Err(Refusal::RefreshToken);
        }
        let rotates = self.rules.refresh == RefreshRule::SingleUse;
        entry.is_used = rotates;
        self.stats.refreshes += 1;
        let refresh = rotates.then(|| self.give_refresh(grant));
        self.give_access(grant, refresh, now).ok_or(Refusal::RefreshToken)
    }

    /// What was granted to the bearer of this token, if it is good here and now.
    pub(crate) fn grant(&self, token: Option<&str>, realm: Realm, now: Timestamp) -> Option<&Grant> {
        let access = self.access.get(token?)?;
        let is_fresh = access.expires.is_none_or(|expires| expires > now);
        self.grants.get(&access.grant).filter(|grant| is_fresh && grant.realm == realm)
    }

    fn give_refresh(&mut self, grant: u64) -> String {
        let token = format!("{}{}", self.rules.looks.refresh, (self.rules.looks.write)(&mut self.mint));
        self.refresh.insert(token.clone(), Refresh { grant, is_used: false });
        token
    }

    fn give_access(&mut self, grant: u64, refresh: Option<String>, now: Timestamp) -> Option<Issued> {
        let scopes = self.grants.get(&grant)?.scopes.clone();
        let access = format!("{}{}", self.rules.looks.access, (self.rules.looks.write)(&mut self.mint));
        let expires = self.rules.access_lives.map(|lifetime| after(now, lifetime));
        self.access.insert(access.clone(), Access { grant, expires });
        let lifetime = self.rules.access_lives.map(|lifetime| lifetime.as_secs());
        Some(Issued { access, refresh, lifetime, scopes })
    }
}

/// RFC 7636 section 4.6; a verifier without a challenge is a downgrade (RFC 9700 section 4.8.2).
fn verifies(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == challenge
        }
        _ => false,
    }
}
