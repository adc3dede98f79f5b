//! What a house knows, as far as a check may ask: plain data, no calls.

use flowrun_step::{IntegrationName, IntegrationStatus, StepSet};

/// The step kinds of a house and, if they are known, its integrations with their states.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(crate) steps: StepSet,
    integrations: Option<Vec<IntegrationStatus>>,
}

impl Catalog {
    /// A catalogue of step kinds that knows nothing of integrations, so that none is judged.
    #[must_use]
    pub fn new(steps: StepSet) -> Self {
        Self { steps, integrations: None }
    }

    /// The same with the integrations of the house.
    #[must_use]
    pub fn with_integrations(mut self, integrations: Vec<IntegrationStatus>) -> Self {
        self.integrations = Some(integrations);
        self
    }

    /// The step kinds.
    #[must_use]
    pub fn steps(&self) -> &StepSet {
        &self.steps
    }

    /// All integrations, if they are known.
    pub(crate) fn integrations(&self) -> Option<&[IntegrationStatus]> {
        self.integrations.as_deref()
    }

    /// The status of one integration, if integrations are known and it is one.
    pub(crate) fn integration(&self, name: &IntegrationName) -> Option<&IntegrationStatus> {
        self.integrations()?.iter().find(|status| status.name == *name)
    }
}

/// Whether it is known that this scope was not granted.
///
/// Scopes are compared as texts, without case. One that ends in `.ALL` covers those that begin like it, as Zoho has it:
/// `ZohoCRM.org.ALL` is enough where `ZohoCRM.org.READ` is needed.
pub(crate) fn lacks(status: &IntegrationStatus, scope: &str) -> bool {
    let (wanted, covers_all) = (scope.to_ascii_lowercase(), ".all");
    let covers = |granted: &String| {
        let granted = granted.to_ascii_lowercase();
        let front = granted.strip_suffix(covers_all);
        granted == wanted
            || front.and_then(|front| wanted.strip_prefix(front)).is_some_and(|rest| rest.starts_with('.'))
    };
    status.granted.as_ref().is_some_and(|granted| !granted.iter().any(covers))
}

#[cfg(test)]
mod tests {
    use flowrun_step::IntegrationState;

    use super::*;

    fn check(granted: Option<&[&str]>, scope: &str, is_lacking: bool) {
        let granted = granted.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
        let name = IntegrationName::new("zoho").unwrap();
        let status =
            IntegrationStatus { granted, ..IntegrationStatus::new(name, IntegrationState::Authorized) };
        assert_eq!(lacks(&status, scope), is_lacking, "{:?} {scope}", status.granted);
    }

    #[test]
    fn a_scope_is_missing_where_what_was_granted_is_known_and_does_not_cover_it() {
        check(None, "ZohoCRM.org.READ", false);
        check(Some(&[]), "ZohoCRM.org.READ", true);
        check(Some(&["ZohoCRM.org.READ"]), "zohocrm.org.read", false);
        check(Some(&["ZohoCRM.org.ALL"]), "ZohoCRM.org.READ", false);
        check(Some(&["ZohoCRM.modules.ALL"]), "ZohoCRM.modules.leads.READ", false);
        check(Some(&["ZohoCRM.org.READ"]), "ZohoCRM.org.ALL", true);
        check(Some(&["ZohoCRM.org.ALL"]), "ZohoCRM.organisation.READ", true);
        check(Some(&["contacts"]), "contacts.write", true);
    }
}
