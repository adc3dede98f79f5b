//! The two pages a person may see: the consent page, and the page that says what is wrong.
//!
//! Everything written into them is escaped; they load nothing, run nothing, may be framed by nobody and
//! are not kept by any cache.

use http::{HeaderName, StatusCode, header};
use url::Url;

use crate::call::Reply;

/// What the consent page shows and asks.
pub(crate) struct ConsentPage<'a> {
    /// The provider's name.
    pub(crate) provider: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) scopes: &'a [String],
    /// Where the answer leads; shown, and allowed as the form's target.
    pub(crate) redirect: &'a Url,
    pub(crate) csrf: &'a str,
    /// The accounts to choose from, if there is a choice: value and label.
    pub(crate) accounts: &'a [(&'static str, &'static str)],
}

impl ConsentPage<'_> {
    /// The page, whose form is sent to the path it was opened at.
    pub(crate) fn reply(&self) -> Reply {
        let provider = escaped(self.provider);
        let heading = format!("{provider} sandbox");
        let body = format!(
            "<p>This is a sandbox: no {provider} account is touched.</p>\n\
             <p>The application <b>{client}</b> at <b>{host}</b> asks for access{scopes}.</p>\n\
             <form method=\"post\" action=\"?\">\n\
             <input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\n{accounts}\
             <button name=\"answer\" value=\"allow\">Allow</button>\n\
             <button name=\"answer\" value=\"deny\">Deny</button>\n</form>",
            client = escaped(self.client_id),
            host = escaped(self.redirect.host_str().unwrap_or_default()),
            scopes = self.scope_list(),
            csrf = escaped(self.csrf),
            accounts = self.account_choice(),
        );
        // A form's redirect is held to form-action too, so the callback's origin must be in it.
        let target = self.redirect.origin().ascii_serialization();
        page(StatusCode::OK, &heading, &body, &format!("'self' {target}"))
    }

    fn scope_list(&self) -> String {
        if self.scopes.is_empty() {
            return String::new();
        }
        let items: String = self.scopes.iter().map(|scope| format!("<li>{}</li>", escaped(scope))).collect();
        format!(":</p><ul>{items}</ul><p>on your behalf")
    }

    fn account_choice(&self) -> String {
        if self.accounts.is_empty() {
            return String::new();
        }
        let option = |(value, label): &(&str, &str)| {
            format!("<option value=\"{}\">{}</option>", escaped(value), escaped(label))
        };
        let options: String = self.accounts.iter().map(option).collect();
        format!("<label>Account <select name=\"account\">{options}</select></label>\n")
    }
}

/// The page that says why there is no consent page.
pub(crate) fn refusal(provider: &str, words: &str) -> Reply {
    let heading = format!("{} sandbox: request refused", escaped(provider));
    page(StatusCode::BAD_REQUEST, &heading, &format!("<p id=\"reason\">{}</p>", escaped(words)), "'none'")
}

fn page(status: StatusCode, heading: &str, body: &str, form_action: &str) -> Reply {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{heading}</title></head>\n\
         <body><h1>{heading}</h1>\n{body}\n</body></html>\n"
    );
    let policy =
        format!("default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action {form_action}");
    Reply::html(status, html)
        .with(header::CONTENT_SECURITY_POLICY, &policy)
        .with(header::CACHE_CONTROL, "no-store")
        .with(header::REFERRER_POLICY, "no-referrer")
        .with(HeaderName::from_static("x-content-type-options"), "nosniff")
}

/// The text with the characters HTML gives a meaning written as references.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, character| {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
        safe
    })
}
