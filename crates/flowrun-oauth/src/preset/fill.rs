//! The `{places}` in a preset's settings: filling them, and finding out how a host was filled.

use std::collections::BTreeMap;

use super::{Parameter, ParameterKind, Preset};
use crate::settings::Settings;

/// Puts values into places, by the places' names.
pub(super) fn fill(settings: &mut Settings, values: &BTreeMap<String, String>) {
    for text in texts(settings) {
        for (name, value) in values {
            *text = text.replace(&format!("{{{name}}}"), value);
        }
    }
}

/// The texts that may have places: addresses, hosts, and the values that a kept value is compared with.
fn texts(settings: &mut Settings) -> impl Iterator<Item = &mut String> {
    let addresses = [
        &mut settings.authorize_url,
        &mut settings.refresh_url,
        &mut settings.revoke_url,
        &mut settings.introspect_url,
        &mut settings.device_url,
        &mut settings.issuer,
    ];
    let kept = settings.keep_from_callback.iter_mut().chain(&mut settings.keep_from_token);
    std::iter::once(&mut settings.token_url)
        .chain(addresses.into_iter().flatten())
        .chain(&mut settings.allowed_hosts)
        .chain(kept.flat_map(|rule| &mut rule.one_of))
}

/// The hosts a token from this token host may go to, if the preset may have it (N4).
pub(super) fn hosts_at(preset: &Preset, host: &str) -> Option<Vec<String>> {
    variants(preset).into_iter().find_map(|mut settings| {
        if let Some((name, value)) = filled_with(host_of(&settings.token_url), host) {
            let parameter = preset.parameters.iter().find(|parameter| parameter.name == name)?;
            fill(&mut settings, &parameter.places(value).ok()?);
        }
        (host_of(&settings.token_url) == host).then(|| known(settings.allowed_hosts, host))
    })
}

/// The settings for every choice there is, texts still open.
fn variants(preset: &Preset) -> Vec<Settings> {
    let with_choices = |variants: Vec<Settings>, parameter: &Parameter| match &parameter.kind {
        ParameterKind::Text(_) => variants,
        ParameterKind::Choice(choices) => {
            let filled = |settings: &Settings, hosts| {
                let mut settings = settings.clone();
                fill(&mut settings, hosts);
                settings
            };
            let each = variants.iter().flat_map(|settings| choices.iter().map(move |it| (settings, it)));
            each.map(|(settings, choice)| filled(settings, &choice.hosts)).collect()
        }
    };
    preset.parameters.iter().fold(vec![preset.settings.clone()], with_choices)
}

/// A shared token host does not tell whose account it is, so the token goes nowhere but there (N4).
fn known(hosts: Vec<String>, token_host: &str) -> Vec<String> {
    if hosts.iter().any(|host| host.contains('{')) { vec![token_host.to_owned()] } else { hosts }
}

fn host_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.split('/').next().unwrap_or_default()
}

/// The place in `template`, and what stands there in `host`; none if there is no place or the rest differs.
fn filled_with<'a, 'b>(template: &'a str, host: &'b str) -> Option<(&'a str, &'b str)> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((name, host.strip_prefix(before)?.strip_suffix(after)?))
}
