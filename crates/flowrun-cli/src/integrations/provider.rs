//! Makes a provider of what was typed: a preset, addresses by hand, or a preset with differences (SEED-6).

use flowrun::oauth::{AuthStyle, GrantKind, InvalidSettings, Preset, PresetError, Provider, Settings};
use flowrun::step::IntegrationName;

use super::by_hand::worded;
use super::presets::{known, named};
use crate::args::{AuthStyleName, GrantName, ProviderArguments};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::pairs::{pair, pairs};

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
        Some(preset) => named(preset).map(Some),
        None if arguments.token_url.is_none() => Ok(Preset::named(name.key())),
        None => Ok(None),
    }
}

fn by_hand(name: &IntegrationName, arguments: &ProviderArguments) -> Result<Settings, Complaint> {
    let Some(token_url) = &arguments.token_url else {
        return Err(Complaint::new(Exit::Usage, format!("nothing is known of the provider of `{name}`"))
            .because(known())
            .help("say --from, --issuer, or --authorize-url and --token-url"));
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
    let complaint = Complaint::from_error(Exit::Usage, error);
    match error {
        PresetError::Settings(error) => invalid(error),
        PresetError::Missing { name, example, .. } | PresetError::Misshapen { name, example, .. } => {
            complaint.help(format!("say it as in --param {name}={example}"))
        }
        _ => complaint.help("`flowrun integrations presets` lists what may be chosen"),
    }
}

/// Every problem at once, each with its fix.
fn invalid(error: &InvalidSettings) -> Complaint {
    let complaint = Complaint::new(Exit::Usage, "the provider cannot be used as it is described");
    error.problems.iter().fold(complaint, |complaint, problem| complaint.because(worded(problem)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Arguments, IntegrationVerb, Verb};

    fn choose_as(words: &str) -> Result<Chosen, Complaint> {
        let words = ["flowrun", "integrations", "add"].into_iter().chain(words.split(' '));
        let arguments = Arguments::try_parse_from(words).unwrap();
        let Some(Verb::Integrations { verb }) = arguments.verb else { unreachable!() };
        let IntegrationVerb::Add(add) = *verb else { unreachable!() };
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
        for option in ["--from", "--preset"] {
            let words = format!("crm {option} teamleader");
            check(&words, Some("https://focus.teamleader.eu/oauth2/authorize"), teamleader);
        }
        let canada = "https://accounts.zohocloud.ca/oauth/v2";
        check("crm --from zoho --param dc=ca", Some(&format!("{canada}/auth")), &format!("{canada}/token"));
        check(
            "crm --from salesforce --param my_domain=acme --param login=login",
            Some("https://login.salesforce.com/services/oauth2/authorize"),
            "https://login.salesforce.com/services/oauth2/token",
        );
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
            ("x --from nobody", "no preset `nobody`"),
            ("x --from zoho --param dc=xx", "dc"),
            ("x --from zoho --param region=eu", "no parameter `region`"),
            ("zendesk", "needs `subdomain`"),
            ("x --authorize-url http://a.example/a --token-url https://a.example/t", "cannot be used"),
        ] {
            let complaint = choose_as(words).err().unwrap_or_else(|| panic!("{words} is taken"));
            assert!(complaint.message.contains(expected), "{words}: {complaint:?}");
            assert!(complaint.help.is_some() || !complaint.causes.is_empty(), "{words}: {complaint:?}");
        }
    }

    /// OA-7: what is missing or cannot be typed is named, explained, and shown as it is typed.
    #[test]
    fn a_missing_or_misshapen_parameter_is_answered_with_an_example_to_type_oa_7() {
        for (words, expected) in [
            ("crm --from zendesk", "the account's name in front of .zendesk.com"),
            ("crm --from zendesk --param subdomain=acme.zendesk.com", "without .zendesk.com"),
            ("crm --from zendesk --param subdomain=", "lower case letters, digits and hyphens"),
        ] {
            let complaint = choose_as(words).err().unwrap_or_else(|| panic!("{words} is taken"));
            assert!(complaint.message.contains(expected), "{words}: {complaint:?}");
            let help = complaint.help.unwrap_or_default();
            assert!(help.contains("--param subdomain=acme"), "{words}: {help}");
        }
        let twice = choose_as("crm --from zendesk --param subdomain=a --param subdomain=b").err().unwrap();
        assert!(twice.message.contains("given twice"), "{twice:?}");
    }
}
