//! The house that flows are checked for: both HTTP steps, and a few integrations.

use flowrun_lang::Catalog;
use flowrun_step::{IntegrationName, IntegrationState, IntegrationStatus, StepSet};
use flowrun_step_fetch_variables::FetchVariables;
use flowrun_step_http_request::HttpRequest;

/// Both HTTP steps, two integrations that can be used and one that was never authorised.
pub(crate) fn catalog() -> Catalog {
    let steps = StepSet::new().with(FetchVariables).unwrap().with(HttpRequest).unwrap();
    let status = |name: &str, state| IntegrationStatus::new(IntegrationName::new(name).unwrap(), state);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Catalog::new(steps).with_integrations(vec![
        IntegrationStatus {
            hosts: texts(&["api.focus.teamleader.eu", "api.teamleader.eu"]),
            ..status("teamleader", IntegrationState::Authorized)
        },
        IntegrationStatus {
            hosts: texts(&["www.zohoapis.com", "www.zohoapis.eu"]),
            ..status("zoho", IntegrationState::Incomplete)
        },
        IntegrationStatus {
            kept: texts(&["api_domain"]),
            hosts: texts(&["www.zohoapis.com", "www.zohoapis.eu", "www.zohoapis.com.au"]),
            api_domain: Some("https://www.zohoapis.eu".to_owned()),
            scopes: texts(&["ZohoCRM.org.READ", "ZohoCRM.users.READ"]),
            granted: Some(texts(&["ZohoCRM.org.READ"])),
            ..status("zoho_eu", IntegrationState::Authorized)
        },
    ])
}
