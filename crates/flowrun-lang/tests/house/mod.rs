//! The house that flows are checked for: both HTTP steps, and two integrations.

use flowrun_lang::Catalog;
use flowrun_step::{IntegrationName, IntegrationState, IntegrationStatus, StepSet};
use flowrun_step_fetch_variables::FetchVariables;
use flowrun_step_http_request::HttpRequest;

/// Both HTTP steps, one integration that can be used and one that was never authorised.
pub(crate) fn catalog() -> Catalog {
    let steps = StepSet::new().with(FetchVariables).unwrap().with(HttpRequest).unwrap();
    let status = |name: &str, state| {
        let name = IntegrationName::new(name).unwrap();
        IntegrationStatus { name, state, kept: Vec::new() }
    };
    Catalog::new(steps).with_integrations(vec![
        status("teamleader", IntegrationState::Authorized),
        status("zoho", IntegrationState::Incomplete),
    ])
}
