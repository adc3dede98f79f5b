//! What is typed of a provider in detail, one option for each field of its settings (SEED-6, SEED-33).
//!
//! Texts are taken apart here; whether they make sense together is the protocol's to say, and its words are given the
//! name of the option that mends them.

use flowrun::oauth::{ExpirySign, Pkce, Problem, ScopeSeparator, Settings, TokenHeader};

use crate::args::{ByHandArguments, PkceName, SeparatorName};
use crate::complaint::Complaint;
use crate::exit::Exit;

/// The fields that an option of the same name sets; two options are called after one of many.
const OPTIONS: [(&str, &str); 13] = [
    ("authorize_url", "--authorize-url"),
    ("token_url", "--token-url"),
    ("refresh_url", "--refresh-url"),
    ("revoke_url", "--revoke-url"),
    ("introspect_url", "--introspect-url"),
    ("device_url", "--device-url"),
    ("issuer", "--issuer"),
    ("auth_style", "--auth-style"),
    ("authorize_params", "--authorize-param"),
    ("resources", "--resource"),
    ("expired_when", "--expired-when"),
    ("token_header", "--token-header"),
    ("scopes", "--scopes"),
];

/// What is wrong with a provider, under the name by which it was typed.
pub(super) fn worded(problem: &Problem) -> String {
    let option = OPTIONS.iter().find(|(field, _)| *field == problem.field).map(|(_, option)| *option);
    format!("`{}` {}: {}", option.unwrap_or(problem.field), problem.wrong, problem.fix)
}

impl ByHandArguments {
    /// Whether anything was said.
    pub(super) fn is_given(&self) -> bool {
        let urls =
            [&self.issuer, &self.refresh_url, &self.revoke_url, &self.introspect_url, &self.device_url];
        urls.into_iter().chain([&self.token_header]).any(Option::is_some)
            || self.scope_separator.is_some()
            || self.pkce.is_some()
            || !self.resources.is_empty()
            || !self.expired_when.is_empty()
    }

    /// Puts what was said into the settings, which it wins over. Signs of expiry are added, and take none away.
    pub(super) fn put_into(&self, settings: &mut Settings) -> Result<(), Complaint> {
        for (typed, field) in [
            (&self.refresh_url, &mut settings.refresh_url),
            (&self.revoke_url, &mut settings.revoke_url),
            (&self.introspect_url, &mut settings.introspect_url),
            (&self.device_url, &mut settings.device_url),
        ] {
            if typed.is_some() {
                field.clone_from(typed);
            }
        }
        if !self.resources.is_empty() {
            settings.resources.clone_from(&self.resources);
        }
        if let Some(separator) = self.scope_separator {
            settings.scope_separator = match separator {
                SeparatorName::Space => ScopeSeparator::Space,
                SeparatorName::Comma => ScopeSeparator::Comma,
            };
        }
        if let Some(pkce) = self.pkce {
            settings.pkce = match pkce {
                PkceName::Required => Pkce::Required,
                PkceName::Try => Pkce::Try,
                PkceName::Off => Pkce::Off,
            };
        }
        if let Some(header) = &self.token_header {
            settings.token_header = token_header(header);
        }
        for text in &self.expired_when {
            let sign = expiry_sign(text)?;
            if !settings.expired_when.contains(&sign) {
                settings.expired_when.push(sign);
            }
        }
        Ok(())
    }
}

/// `Authorization: Token`, or a header whose whole value the token is.
fn token_header(text: &str) -> TokenHeader {
    let (name, scheme) = text.split_once(':').unwrap_or((text, ""));
    TokenHeader { name: name.trim().to_owned(), scheme: scheme.trim().to_owned() }
}

/// `403`, `200:/error/code`, `200:/error/code=Expired,Invalid`.
fn expiry_sign(text: &str) -> Result<ExpirySign, Complaint> {
    let (status, seen) = match text.split_once(':') {
        Some((status, seen)) => (status, Some(seen)),
        None => (text, None),
    };
    let status =
        status.trim().parse().ok().filter(|status| (100..600).contains(status)).ok_or_else(|| {
            Complaint::new(Exit::Usage, format!("`--expired-when {text}` does not begin with an HTTP status"))
                .help("write --expired-when 403, or --expired-when 200:/error/code=Expired,Invalid")
        })?;
    let (path, values) = match seen.map(|seen| seen.split_once('=').unwrap_or((seen, ""))) {
        Some((path, values)) => (Some(path.to_owned()), values),
        None => (None, ""),
    };
    let one_of = values.split(',').filter(|value| !value.is_empty()).map(str::to_owned).collect();
    Ok(ExpirySign { status, path, one_of })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use flowrun::oauth::Provider;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[arg(long)]
        preset: Option<String>,
        #[arg(long)]
        token_url: Option<String>,
        #[arg(long)]
        authorize_url: Option<String>,
        #[command(flatten)]
        by_hand: ByHandArguments,
    }

    fn settings(words: &[&str]) -> Result<Settings, Complaint> {
        let typed = Typed::try_parse_from([&["flowrun"], words].concat()).unwrap();
        assert_eq!(typed.by_hand.is_given(), !words.is_empty(), "{words:?}");
        let mut settings = Settings::authorization_code("https://a.example/auth", "https://a.example/token");
        typed.by_hand.put_into(&mut settings)?;
        Ok(settings)
    }

    #[test]
    fn each_option_sets_its_field_seed_33() {
        assert_eq!(settings(&["--refresh-url", "x"]).unwrap().refresh_url.as_deref(), Some("x"));
        assert_eq!(settings(&["--revoke-url", "x"]).unwrap().revoke_url.as_deref(), Some("x"));
        assert_eq!(settings(&["--introspect-url", "x"]).unwrap().introspect_url.as_deref(), Some("x"));
        assert_eq!(settings(&["--device-url", "x"]).unwrap().device_url.as_deref(), Some("x"));
        assert_eq!(settings(&["--resource", "a", "--resource", "b"]).unwrap().resources, ["a", "b"], "OA-14");
        assert_eq!(settings(&["--pkce", "off"]).unwrap().pkce, Pkce::Off);
        let separator = settings(&["--scope-separator", "comma"]).unwrap().scope_separator;
        assert_eq!(separator, ScopeSeparator::Comma);
        for (typed, name, scheme) in [
            ("Authorization: Token", "Authorization", "Token"),
            ("X-Access-Token", "X-Access-Token", ""),
            ("X-Access-Token:", "X-Access-Token", ""),
        ] {
            let header = settings(&["--token-header", typed]).unwrap().token_header;
            assert_eq!((&*header.name, &*header.scheme), (name, scheme));
        }
    }

    #[test]
    fn a_sign_of_expiry_is_a_status_and_perhaps_what_the_reply_says_oa_48() {
        for (typed, status, path, one_of) in [
            ("403", 403, None, &[][..]),
            ("200:/error", 200, Some("/error"), &[]),
            ("200:/error/code=Expired,Invalid", 200, Some("/error/code"), &["Expired", "Invalid"]),
            ("400:/a=b=c", 400, Some("/a"), &["b=c"]),
        ] {
            let signs = settings(&["--expired-when", typed, "--expired-when", typed]).unwrap().expired_when;
            let [sign] = &signs[..] else { panic!("said twice, meant once: {signs:?}") };
            assert_eq!((sign.status, sign.path.as_deref()), (status, path), "{typed}");
            assert_eq!(sign.one_of, one_of, "{typed}");
        }
        for typed in ["", "forbidden", "9", "1403", ":/error"] {
            let complaint = settings(&["--expired-when", typed]).unwrap_err();
            assert!(complaint.message.contains("--expired-when"), "{complaint:?}");
        }
    }

    /// What is wrong is said with the option it was typed as, however many things are.
    #[test]
    fn a_mistake_is_said_with_the_option_that_mends_it() {
        let wrong = settings(&[
            "--revoke-url",
            "http://a.example/r",
            "--introspect-url",
            "a.example",
            "--device-url",
            "https://u@a.example/",
            "--refresh-url",
            "https://a.example/#x",
            "--resource",
            "contacts",
            "--expired-when",
            "200",
            "--token-header",
            "Host",
        ]);
        let problems = Provider::new(wrong.unwrap()).unwrap_err().problems;
        let said: Vec<String> = problems.iter().map(worded).collect();
        for option in [
            "`--revoke-url` does not begin with https://",
            "`--introspect-url` is not a URL",
            "`--device-url` has a user name",
            "`--refresh-url` has a fragment",
            "`--resource` has `contacts`",
            "`--expired-when` takes every reply with status 200",
            "`--token-header` is `host`",
        ] {
            assert!(said.iter().any(|said| said.starts_with(option)), "{option} is not in {said:#?}");
        }
    }
}
