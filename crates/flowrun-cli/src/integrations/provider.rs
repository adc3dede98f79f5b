//! Makes a provider of what was typed: a preset, addresses by hand, or a preset with differences (SEED-6).

use flowrun::oauth::{AuthStyle, GrantKind, InvalidSettings, Preset, PresetError, Provider, Settings};
use flowrun::step::IntegrationName;
use serde_json::json;

use super::by_hand::worded;
use crate::args::{AuthStyleName, GrantName, ProviderArguments};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::pairs::{pair, pairs};
use crate::terminal::Terminal;

/// A provider, and the preset it came from.
pub(super) struct Chosen {
    pub(super) provider: Provider,
    pub(super) preset: Option<Preset>,
}

/// Whether anything was said of the provider.
pub(super) fn is_chosen(arguments: &ProviderArguments) -> bool {
    arguments.preset.is_some()
        || arguments.authorize_url.is_some()
        || arguments.token_url.is_some()
        || arguments.grant.is_some()
        || arguments.auth_style.is_some()
        || !arguments.parameters.is_empty()
        || !arguments.authorize_parameters.is_empty()
        || arguments.by_hand.is_given()
}

/// The provider that was meant: what is `known` of it, with the differences; where nothing is, the preset or the
/// addresses; with neither, the preset that is called like the integration.
pub(super) fn choose(
    name: &IntegrationName,
    arguments: &ProviderArguments,
    known: Option<Settings>,
) -> Result<Chosen, Complaint> {
    let preset = if known.is_some() { None } else { preset(name, arguments)? };
    let mut settings = match (&preset, known) {
        (_, Some(known)) => known,
        (Some(preset), None) => {
            let chosen = pairs("--param", &arguments.parameters)?;
            preset.provider(&chosen).map_err(|error| unusable(&error))?.settings().clone()
        }
        (None, None) => by_hand(name, arguments)?,
    };
    if let (Some(_), Some(token_url)) = (&preset, &arguments.token_url) {
        settings.token_url.clone_from(token_url);
        // The preset's hosts belong to the preset's token endpoint; N4 finds those of another.
        settings.allowed_hosts.clear();
    }
    differ(&mut settings, arguments)?;
    arguments.by_hand.put_into(&mut settings)?;
    let provider = Provider::new(settings).map_err(|error| invalid(&error))?;
    Ok(Chosen { provider, preset })
}

fn preset(name: &IntegrationName, arguments: &ProviderArguments) -> Result<Option<Preset>, Complaint> {
    match &arguments.preset {
        Some(preset) => Preset::named(preset).map(Some).ok_or_else(|| {
            Complaint::new(Exit::Usage, format!("there is no preset `{preset}`")).help(presets())
        }),
        None if arguments.token_url.is_none() => Ok(Preset::named(name.key())),
        None => Ok(None),
    }
}

fn by_hand(name: &IntegrationName, arguments: &ProviderArguments) -> Result<Settings, Complaint> {
    let Some(token_url) = &arguments.token_url else {
        return Err(Complaint::new(Exit::Usage, format!("nothing is known of the provider of `{name}`"))
            .because(presets())
            .help("say --preset, --issuer, or --authorize-url and --token-url"));
    };
    match (&arguments.authorize_url, arguments.grant) {
        (_, Some(GrantName::ClientCredentials)) => Ok(Settings::client_credentials(token_url)),
        (Some(authorize_url), _) => Ok(Settings::authorization_code(authorize_url, token_url)),
        (None, _) => Err(Complaint::new(Exit::Usage, "the authorization endpoint is missing")
            .help("say --authorize-url, or --grant client_credentials if no person is to be asked")),
    }
}

/// What was typed besides, which wins over a preset.
fn differ(settings: &mut Settings, arguments: &ProviderArguments) -> Result<(), Complaint> {
    if let Some(url) = &arguments.authorize_url {
        settings.authorize_url = Some(url.clone());
    }
    match arguments.grant {
        Some(GrantName::ClientCredentials) => {
            (settings.grant, settings.authorize_url) = (GrantKind::ClientCredentials, None);
        }
        Some(GrantName::AuthorizationCode) => settings.grant = GrantKind::AuthorizationCode,
        None => {}
    }
    if let Some(style) = arguments.auth_style {
        settings.auth_style = match style {
            AuthStyleName::Body => AuthStyle::Body,
            AuthStyleName::Basic => AuthStyle::Basic,
            AuthStyleName::BasicRaw => AuthStyle::BasicRaw,
            AuthStyleName::None => AuthStyle::None,
        };
    }
    for text in &arguments.authorize_parameters {
        let (name, value) = pair("--authorize-param", text)?;
        settings.authorize_params.retain(|(known, _)| known != name);
        settings.authorize_params.push((name.to_owned(), value.to_owned()));
    }
    Ok(())
}

fn unusable(error: &PresetError) -> Complaint {
    match error {
        PresetError::Settings(error) => invalid(error),
        error => Complaint::from_error(Exit::Usage, error)
            .help("`flowrun integrations presets` lists what may be chosen"),
    }
}

/// Every problem at once, each with its fix.
fn invalid(error: &InvalidSettings) -> Complaint {
    let complaint = Complaint::new(Exit::Usage, "the provider cannot be used as it is described");
    error.problems.iter().fold(complaint, |complaint, problem| complaint.because(worded(problem)))
}

fn presets() -> String {
    let names: Vec<&str> = Preset::all().iter().map(|preset| preset.name.as_str()).collect();
    format!("the presets are {}", names.join(", "))
}

/// Prints the presets and what may be chosen for each.
pub(super) fn list(terminal: &Terminal, as_json: bool) -> Result<Exit, Complaint> {
    for preset in Preset::all() {
        let line = if as_json { described(preset) } else { None };
        match line {
            Some(value) => written(terminal.json(&value))?,
            None => written(terminal.data(&line_of(preset)))?,
        }
    }
    Ok(Exit::Done)
}

fn described(preset: &Preset) -> Option<serde_json::Value> {
    let choices = |parameter: &flowrun::oauth::Parameter| {
        let values: Vec<&str> = parameter.choices.iter().map(|choice| choice.value.as_str()).collect();
        json!({"name": parameter.name, "default": parameter.default, "choices": values})
    };
    let parameter = preset.parameter.as_ref().map(choices);
    Some(json!({
        "name": preset.name, "title": preset.title, "setup_url": preset.setup_url, "parameter": parameter,
    }))
}

fn line_of(preset: &Preset) -> String {
    let choices = preset.parameter.as_ref().map(|parameter| {
        let values: Vec<&str> = parameter.choices.iter().map(|choice| choice.value.as_str()).collect();
        format!("  --param {}={}", parameter.name, values.join("|"))
    });
    format!("{:<20}{}{}", preset.name, preset.title, choices.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Arguments, IntegrationVerb, Verb};

    fn choose_as(words: &str) -> Result<Chosen, Complaint> {
        let words = ["flowrun", "integrations", "add"].into_iter().chain(words.split(' '));
        let arguments = Arguments::try_parse_from(words).unwrap();
        let Some(Verb::Integrations { verb: IntegrationVerb::Add(add) }) = arguments.verb else {
            unreachable!()
        };
        choose(&IntegrationName::new(&add.name).unwrap(), &add.provider, None)
    }

    fn check(words: &str, authorize_url: Option<&str>, token_url: &str) {
        let chosen = choose_as(words).unwrap_or_else(|complaint| panic!("{complaint:?}"));
        let settings = chosen.provider.settings();
        assert_eq!(
            (settings.authorize_url.as_deref(), settings.token_url.as_str()),
            (authorize_url, token_url)
        );
    }

    #[test]
    fn a_preset_is_taken_by_name_by_choice_or_by_the_integrations_own_name_seed_6() {
        let teamleader = "https://focus.teamleader.eu/oauth2/access_token";
        check("Teamleader", Some("https://focus.teamleader.eu/oauth2/authorize"), teamleader);
        check("crm --preset teamleader", Some("https://focus.teamleader.eu/oauth2/authorize"), teamleader);
        let canada = "https://accounts.zohocloud.ca/oauth/v2";
        check("crm --preset zoho --param dc=ca", Some(&format!("{canada}/auth")), &format!("{canada}/token"));
    }

    #[test]
    fn a_provider_nobody_knows_is_described_by_hand_seed_33() {
        check(
            "x --authorize-url https://a.example/auth --token-url https://a.example/token",
            Some("https://a.example/auth"),
            "https://a.example/token",
        );
        check("x --token-url https://a.example/t --grant client_credentials", None, "https://a.example/t");
    }

    /// N4: a preset's hosts must not receive a token from somewhere else, nor the other way round.
    #[test]
    fn another_token_endpoint_leaves_the_presets_hosts_behind() {
        let chosen = choose_as("zoho --preset zoho --token-url https://a.example/token").unwrap();
        assert!(chosen.provider.settings().allowed_hosts.is_empty());
    }

    #[test]
    fn what_is_missing_or_wrong_is_said_with_the_option_that_mends_it() {
        for (words, expected) in [
            ("x", "nothing is known of the provider"),
            ("x --token-url https://a.example/t", "authorization endpoint is missing"),
            ("x --preset nobody", "no preset `nobody`"),
            ("x --preset zoho --param dc=xx", "dc"),
            ("x --authorize-url http://a.example/a --token-url https://a.example/t", "cannot be used"),
        ] {
            let complaint = choose_as(words).err().unwrap_or_else(|| panic!("{words} is taken"));
            assert!(complaint.message.contains(expected), "{words}: {complaint:?}");
            assert!(complaint.help.is_some() || !complaint.causes.is_empty(), "{words}: {complaint:?}");
        }
    }
}
