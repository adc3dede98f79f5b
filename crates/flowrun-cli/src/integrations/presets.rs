//! Shows the providers that are known: all of them in a line each, or one whole, with what it rests on.

use flowrun::oauth::{
    AuthStyle, BodyFormat, Fact, Parameter, ParameterKind, Pkce, Preset, RedirectRule, ScopeSeparator,
    Settings,
};
use serde_json::{Value, json};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::terminal::Terminal;

/// Prints all presets, or the one of this name.
pub(super) fn presets(terminal: &Terminal, name: Option<&str>, as_json: bool) -> Result<Exit, Complaint> {
    match (name, as_json) {
        (Some(name), true) => written(terminal.json(&whole(&named(name)?)))?,
        (Some(name), false) => {
            for line in lines(&named(name)?) {
                written(terminal.data(&line))?;
            }
        }
        (None, true) => written(terminal.json(&Preset::all().iter().map(brief).collect::<Vec<_>>()))?,
        (None, false) => {
            for preset in Preset::all() {
                let ways = preset.parameters.iter().map(way).collect::<Vec<_>>().join(" ");
                let line = format!("{:<20}{:<26}{ways}", preset.name, preset.title);
                written(terminal.data(line.trim_end()))?;
            }
            terminal.say("`flowrun integrations presets NAME` shows one whole");
        }
    }
    Ok(Exit::Done)
}

/// The preset of this name, or what there is instead.
pub(super) fn named(name: &str) -> Result<Preset, Complaint> {
    Preset::named(name)
        .ok_or_else(|| Complaint::new(Exit::Usage, format!("there is no preset `{name}`")).help(known()))
}

/// Which presets there are, in a sentence.
pub(super) fn known() -> String {
    let names: Vec<&str> = Preset::all().iter().map(|preset| preset.name.as_str()).collect();
    format!("the presets are {}", names.join(", "))
}

/// What to type for a parameter; in brackets if it need not be typed.
fn way(parameter: &Parameter) -> String {
    let typed = format!("--param {}={}", parameter.name, parameter.examples().join("|"));
    if parameter.default.is_some() { format!("[{typed}]") } else { typed }
}

/// One preset, a fact a line.
fn lines(preset: &Preset) -> Vec<String> {
    let settings = preset.settings();
    let needed = preset.parameters.iter().filter(|parameter| parameter.default.is_none()).map(way);
    let add: Vec<_> = std::iter::once(format!("flowrun integrations add {0} --from {0}", preset.name))
        .chain(needed)
        .collect();
    let mut lines: Vec<String> = [
        ("name", preset.name.clone()),
        ("title", preset.title.clone()),
        ("add it by", add.join(" ")),
        ("make a client at", preset.setup_url.clone()),
        ("callback URL", callback_rule(settings.redirect).to_owned()),
        ("scopes", scopes(preset)),
        ("client", client(settings).to_owned()),
        ("PKCE", pkce(settings.pkce).to_owned()),
    ]
    .into_iter()
    .chain(addresses(settings))
    .chain([("token goes to", settings.allowed_hosts.join(", ")), ("kept with it", kept(settings))])
    .filter(|(_, value)| !value.is_empty())
    .map(|(what, value)| format!("{what:<20}{value}"))
    .collect();
    lines.extend(preset.parameters.iter().flat_map(choosing));
    lines.extend(preset.facts.iter().flat_map(fact_lines));
    lines
}

fn addresses(settings: &Settings) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("authorises at", settings.authorize_url.as_ref()),
        ("tokens from", Some(&settings.token_url)),
        ("refreshed at", settings.refresh_url.as_ref()),
        ("revoked at", settings.revoke_url.as_ref()),
        ("introspected at", settings.introspect_url.as_ref()),
        ("device code from", settings.device_url.as_ref()),
    ]
    .into_iter()
    .filter_map(|(what, url)| Some((what, url?.clone())))
}

fn scopes(preset: &Preset) -> String {
    let separator = match preset.settings().scope_separator {
        ScopeSeparator::Space => "spaces",
        ScopeSeparator::Comma => "commas",
    };
    match preset.default_scopes.as_slice() {
        [] => format!("none unless you say some; sent with {separator} between"),
        scopes => format!("{} unless you say others; sent with {separator} between", scopes.join(" ")),
    }
}

fn client(settings: &Settings) -> &'static str {
    match (settings.auth_style, settings.body_format) {
        (AuthStyle::None, _) => "has no secret",
        (AuthStyle::Body, BodyFormat::Form) => "id and secret in the body, a form",
        (AuthStyle::Body, BodyFormat::Json) => "id and secret in the body, which is JSON",
        (_, BodyFormat::Form) => "id and secret by HTTP Basic, the body a form",
        (_, BodyFormat::Json) => "id and secret by HTTP Basic, the body JSON",
    }
}

fn pkce(pkce: Pkce) -> &'static str {
    match pkce {
        Pkce::Required | Pkce::Try => "sent, with S256",
        Pkce::Off => "not sent",
    }
}

/// What flows may read beside the token, as `{{integrations.NAME.…}}`.
fn kept(settings: &Settings) -> String {
    let rules = settings.keep_from_callback.iter().chain(&settings.keep_from_token);
    rules.map(|rule| rule.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn callback_rule(rule: RedirectRule) -> &'static str {
    match rule {
        RedirectRule::HttpsRequired => "https only; without a public one, paste where the browser ends",
        RedirectRule::LoopbackOk => "https, or this machine, letter by letter as registered",
        RedirectRule::AnyPort => "https, or this machine at any port",
    }
}

/// What a parameter decides and what it may be.
fn choosing(parameter: &Parameter) -> Vec<String> {
    let default = parameter.default.as_deref();
    let unless = default.map_or_else(|| "must be said".to_owned(), |value| format!("{value} unless you say"));
    let mut lines =
        vec![format!("{:<20}{} ({unless})", format!("--param {}", parameter.name), parameter.help)];
    match &parameter.kind {
        ParameterKind::Text(shape) => lines.push(format!("{:<20}{}: {}", "", shape.example, shape.words)),
        ParameterKind::Choice(choices) => {
            lines
                .extend(choices.iter().map(|choice| format!("{:<20}{}: {}", "", choice.value, choice.title)));
        }
    }
    lines
}

fn fact_lines(fact: &Fact) -> [String; 2] {
    let mark = if fact.verified { "verified" } else { "unverified" };
    [format!("{mark:<20}{}", fact.claim), format!("{:<20}{} ({})", "", fact.source, fact.date)]
}

/// What a list says of a preset.
fn brief(preset: &Preset) -> Value {
    json!({
        "name": preset.name,
        "title": preset.title,
        "setup_url": preset.setup_url,
        "parameters": preset.parameters.iter().map(parameter).collect::<Vec<_>>(),
    })
}

/// All there is to say of a preset.
fn whole(preset: &Preset) -> Value {
    let facts: Vec<Value> = preset
        .facts
        .iter()
        .map(|fact| {
            let date = fact.date.to_string();
            json!({"claim": fact.claim, "source": fact.source, "date": date, "verified": fact.verified})
        })
        .collect();
    let mut whole = brief(preset);
    if let Value::Object(fields) = &mut whole {
        fields.insert("default_scopes".to_owned(), json!(preset.default_scopes));
        fields.insert("settings".to_owned(), json!(preset.settings()));
        fields.insert("facts".to_owned(), json!(facts));
    }
    whole
}

fn parameter(parameter: &Parameter) -> Value {
    let mut value = json!({"name": parameter.name, "help": parameter.help, "default": parameter.default});
    let kind = match &parameter.kind {
        ParameterKind::Text(shape) => json!({"shape": shape.words, "example": shape.example}),
        ParameterKind::Choice(choices) => {
            let choice = |it: &flowrun::oauth::Choice| json!({"value": it.value, "title": it.title});
            json!({"choices": choices.iter().map(choice).collect::<Vec<_>>()})
        }
    };
    if let (Value::Object(fields), Value::Object(kind)) = (&mut value, kind) {
        fields.extend(kind);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> String {
        lines(&named(name).unwrap()).join("\n")
    }

    #[test]
    fn one_preset_is_shown_with_everything_one_must_know_before_adding_it() {
        let zendesk = shown("zendesk");
        for expected in [
            "add it by           flowrun integrations add zendesk --from zendesk --param subdomain=acme",
            "authorises at       https://{subdomain}.zendesk.com/oauth/authorizations/new",
            "tokens from         https://{subdomain}.zendesk.com/oauth/tokens",
            "scopes              read unless you say others; sent with spaces between",
            "callback URL        https, or this machine, letter by letter as registered",
            "--param subdomain   the account's name in front of .zendesk.com (must be said)",
            "token goes to       {subdomain}.zendesk.com",
            "verified            ",
            "unverified          ",
        ] {
            assert!(zendesk.contains(expected), "{expected:?} in\n{zendesk}");
        }
        assert!(shown("zoho").contains("ca: Canada") && shown("zoho").contains("(com unless you say)"));
        assert!(shown("zoho-eu").contains("(eu unless you say)"));
        assert!(
            shown("slack").contains("https only") && shown("slack").contains("PKCE                not sent")
        );
        assert!(shown("quickbooks").contains("kept with it        realmId"));
        assert!(!shown("xero").contains("kept with it"));
    }

    #[test]
    fn every_fact_of_every_preset_is_shown_with_its_mark_and_its_source() {
        for preset in Preset::all() {
            let shown = shown(&preset.name);
            for fact in &preset.facts {
                let mark = if fact.verified { "verified" } else { "unverified" };
                let expected = format!("{mark:<20}{}\n{:20}{} ({})", fact.claim, "", fact.source, fact.date);
                assert!(shown.contains(&expected), "{}: {expected}", preset.name);
            }
        }
    }

    #[test]
    fn a_script_reads_the_same_as_a_person() {
        let zendesk = whole(&named("zendesk").unwrap());
        assert_eq!(zendesk["parameters"][0]["example"], "acme");
        assert_eq!(zendesk["parameters"][0]["default"], Value::Null);
        assert_eq!(zendesk["settings"]["token_url"], "https://{subdomain}.zendesk.com/oauth/tokens");
        assert_eq!(zendesk["default_scopes"], json!(["read"]));
        assert!(zendesk["facts"].as_array().unwrap().iter().any(|fact| fact["verified"] == false));
        let zoho = brief(&named("zoho").unwrap());
        assert_eq!(zoho["parameters"][0]["choices"][1], json!({"value": "eu", "title": "Europe"}));
        assert_eq!(zoho["parameters"][0]["default"], "com");
    }

    #[test]
    fn a_line_shows_what_must_be_typed_and_what_may_be() {
        let ways = |name| named(name).unwrap().parameters.iter().map(way).collect::<Vec<_>>().join(" ");
        assert_eq!(ways("shopify"), "--param shop=acme-tools");
        assert_eq!(ways("microsoft"), "[--param tenant=contoso.onmicrosoft.com]");
        assert_eq!(ways("salesforce"), "--param my_domain=acme [--param login=my-domain|login|test]");
        assert_eq!(ways("google"), "");
    }

    #[test]
    fn a_preset_nobody_knows_is_answered_with_those_there_are() {
        let complaint = named("sales-force").unwrap_err();
        assert!(complaint.message.contains("sales-force"));
        assert!(complaint.help.unwrap().contains("salesforce, shopify"));
    }
}
