//! A service that runs a flow: it checks the flow once, takes its messages, and looks at how it ended.

use std::sync::{Arc, Mutex};

use flowrun::engine::{Outcome, Start};
use flowrun::http::{Client, NetworkPolicy};
use flowrun::lang::{Given, SourceText, check};
use flowrun::step::{BoxFuture, Channel, OutgoingMessage, RunId, StepError};
use flowrun::{SystemClock, engine};
use tokio_util::sync::CancellationToken;

const FLOW: &str = "
name: greeting
inputs:
  who: { type: string }
steps:
  - send: Hello {{who}}.
outputs:
  greeted: \"{{who}}\"
";

/// Where messages go: here into a list, in a service to its own users.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<String>>>);

impl Channel for Inbox {
    fn name(&self) -> &str {
        "inbox"
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move {
            self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(message.text.clone());
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_service_runs_a_flow() -> Result<(), Box<dyn std::error::Error>> {
    let inbox = Inbox::default();
    let client = Client::builder().policy(NetworkPolicy::public_only()).build();
    let engine = engine(Arc::new(SystemClock), Arc::new(client)).channel(inbox.clone()).build()?;

    // Once, when the flow is deployed.
    let source = SourceText::new("greeting.flow.yaml", FLOW.into()).map_err(|mistake| mistake.to_string())?;
    let checked = check(&source, &engine.catalog(&flowrun::step::Tenant::default()).await?);
    let flow = checked.flow.ok_or("the flow has mistakes: see `checked.diagnostics`")?;

    // As often as you like.
    let given = [("who".to_owned(), Given::Text("Ada".to_owned()))].into();
    let inputs = flow.accept(&given).map_err(|mistakes| format!("{mistakes:?}"))?;
    let start = Start::new(RunId::new("run-1")?, inputs);
    match engine.run(&flow, start, CancellationToken::new()).await {
        Outcome::Done { outputs } => assert_eq!(outputs["greeted"], "Ada"),
        Outcome::Failed { diagnostic, .. } => return Err(diagnostic.to_string().into()),
        other => return Err(format!("{other:?}").into()),
    }
    let sent = inbox.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    assert_eq!(sent, ["Hello Ada."]);
    Ok(())
}
