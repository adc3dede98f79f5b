//! Each preset has a page that leads to the provider's own, and shows what it does and what that rests on.

use flowrun_oauth::{ParameterKind, Preset};

/// The page of a preset; the two generations of Teamleader share one.
fn page(preset: &Preset) -> String {
    let name = preset.name.strip_suffix("-classic").unwrap_or(&preset.name);
    let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers/{}.md"), name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_page_says_where_to_go_and_what_to_type() {
    for preset in Preset::all() {
        let page = page(preset);
        let name = &preset.name;
        assert!(page.contains(&preset.setup_url), "{name}: {}", preset.setup_url);
        assert!(page.contains(&format!("--from {name}")), "{name}: how to add it");
        assert!(page.contains("flowrun integrations authorize"), "{name}: how to authorise it");
        for parameter in &preset.parameters {
            let typed = format!("--param {}=", parameter.name);
            let implied = format!("{name}-");
            let by_name = matches!(parameter.kind, ParameterKind::Choice(_)) && page.contains(&implied);
            assert!(page.contains(&typed) || by_name, "{name}: {typed}");
        }
        for scope in &preset.default_scopes {
            assert!(page.contains(&format!("`{scope}`")) || page.contains(scope), "{name}: scope {scope}");
        }
    }
}

#[test]
fn every_page_names_the_addresses_of_its_preset() {
    for preset in Preset::all() {
        let page = page(preset);
        let it = preset.settings();
        let urls = [&it.authorize_url, &it.refresh_url, &it.revoke_url, &it.introspect_url, &it.device_url];
        for url in urls.into_iter().flatten().chain([&it.token_url]) {
            assert!(page.contains(&format!("`{url}`")), "{}: {url}", preset.name);
        }
        for host in &it.allowed_hosts {
            assert!(page.contains(&format!("`{host}`")), "{}: {host}", preset.name);
        }
        for kept in it.keep_from_callback.iter().chain(&it.keep_from_token) {
            assert!(page.contains(&format!("`{}`", kept.name)), "{}: {}", preset.name, kept.name);
        }
    }
}

/// What nobody has read in the provider's own text is marked as such, on the page as in the file.
#[test]
fn every_page_shows_every_fact_as_it_is_in_the_file() {
    for preset in Preset::all() {
        let page = page(preset);
        for fact in &preset.facts {
            let checked = if fact.verified { "in the provider’s own text" } else { "**not yet**" };
            let row = format!("| {} | {} | {} | {checked} |", fact.claim, fact.source, fact.date);
            assert!(page.contains(&row), "{}: {row}", preset.name);
        }
    }
}

#[test]
fn no_page_is_without_its_preset() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let preset = Preset::named(name.trim_end_matches(".md"));
        assert!(preset.is_some(), "{name}");
    }
}
