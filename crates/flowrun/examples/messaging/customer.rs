//! A step of the service's own: who has this phone number.

use std::collections::HashMap;
use std::sync::Arc;

use flowrun::step::{Draft, Effect, Step, StepContext, StepError, StepInfo, StepKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The service's customers; a database, in a service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Customers(Arc<HashMap<(String, String), String>>);

impl Customers {
    /// A few, each of one shop.
    pub(crate) fn example() -> Self {
        let known = [("bakery", "+31612345678", "Ada"), ("garage", "+31612345678", "Mrs Lovelace")];
        let customer = |(shop, phone, name): (&str, &str, &str)| ((shop.into(), phone.into()), name.into());
        Self(Arc::new(known.into_iter().map(customer).collect()))
    }
}

/// `shop.customer: { phone }` gives `{ name }`.
pub(crate) struct Customer(Customers);

impl Customer {
    pub(crate) fn new(customers: Customers) -> Self {
        Self(customers)
    }
}

/// What an author writes beneath `shop.customer`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The phone number, as the channel knows it.
    #[schemars(extend("x-flowrun" = "text"))]
    phone: String,
}

/// What a flow may use of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// What the shop calls the customer.
    name: String,
}

impl Step for Customer {
    type Settings = Settings;
    type Output = Found;

    fn info(&self) -> StepInfo {
        #[expect(clippy::expect_used, reason = "a literal that is a kind")]
        StepInfo::new(StepKind::new("shop.customer").expect("a kind"), 1)
    }

    /// It only looks, so that it may be made again after a crash.
    fn effect(&self, _: &Draft<'_>) -> Effect {
        Effect::Safe
    }

    async fn call(&self, cx: StepContext, Settings { phone }: Settings) -> Result<Found, StepError> {
        let known = self.0.0.get(&(cx.tenant.to_string(), phone)).cloned();
        Ok(Found { name: known.unwrap_or_else(|| "stranger".to_owned()) })
    }
}
