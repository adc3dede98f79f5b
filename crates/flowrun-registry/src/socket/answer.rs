//! The owner's answers: each verb is an operation of the registry, and its error a refusal.

use flowrun_step::IntegrationName;
use tokio::sync::OnceCell;
use url::Url;

use super::frame::MOST;
use super::wire::{Answer, PROTOCOL, PassAnswer, Question, Refusal, View};
use crate::Registry;

/// How much of a frame a page of the list may fill; the largest integration takes far less than the rest.
const PAGE: usize = MOST / 2;

/// What an owner answers from.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) registry: Registry,
    /// Known once it has been read, and the same for life.
    installation: OnceCell<String>,
}

impl Desk {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry, installation: OnceCell::new() }
    }
}

pub(super) async fn answer(desk: &Desk, question: Question) -> Answer {
    obey(desk, question).await.unwrap_or_else(Answer::Refused)
}

async fn obey(desk: &Desk, question: Question) -> Result<Answer, Refusal> {
    let registry = &desk.registry;
    Ok(match question {
        Question::Hello {} => hello(desk).await,
        Question::List { after } => list(registry, after).await?,
        Question::Show { name } => Answer::Integration(Box::new(registry.show(&name).await?.into())),
        Question::Resolve { name, origin } => Answer::Pass(resolve(registry, &name, &origin).await?),
        Question::Renew { name, generation } => {
            registry.inner().renew_after(&name, generation).await?;
            Answer::Renewed {}
        }
        Question::Kept { name, field } => {
            let live = registry.inner().live(&name).await?;
            Answer::Kept { value: live.kept.get(&field).cloned() }
        }
        Question::Refresh { name, force } => {
            let refreshed = match force {
                true => registry.force_refresh(&name).await?,
                false => registry.refresh(&name).await?,
            };
            Answer::Integration(Box::new(refreshed.into()))
        }
    })
}

/// Who this is; a registry that cannot be read hinders nobody from asking on, and being told why.
async fn hello(desk: &Desk) -> Answer {
    let read = |book: &crate::custody::Book<'_>| Ok(book.installation());
    let reading = async || match desk.registry.inner().custody.read(read).await {
        Ok((Some(installation), _)) => Ok(installation),
        _ => Err(()),
    };
    let installation = desk.installation.get_or_try_init(reading).await.ok().cloned();
    Answer::Hello { protocol: PROTOCOL, installation }
}

/// As many as fit into a frame, and whether these were the last.
async fn list(registry: &Registry, after: Option<IntegrationName>) -> Result<Answer, Refusal> {
    let is_next = |name: &IntegrationName| after.as_ref().is_none_or(|after| name.key() > after.key());
    let all = registry.list().await?.into_iter().filter(|integration| is_next(&integration.name));
    let (mut page, mut size) = (Vec::<View>::new(), 0);
    for view in all.map(View::from) {
        size += serde_json::to_vec(&view).map_or(MOST, |json| json.len());
        if size > PAGE && !page.is_empty() {
            return Ok(Answer::Integrations { page, is_last: false });
        }
        page.push(view);
    }
    Ok(Answer::Integrations { page, is_last: true })
}

/// A token for one origin; an origin that no rule names costs no refresh and gets nothing.
async fn resolve(registry: &Registry, name: &IntegrationName, origin: &str) -> Result<PassAnswer, Refusal> {
    let url = Url::parse(origin).ok().filter(|url| url.origin().ascii_serialization() == origin);
    let url = url.ok_or(Refusal::HostNotCovered {})?;
    let judge = |pass: &crate::pass::Pass| pass.covers(&url).then_some(()).ok_or(Refusal::HostNotCovered {});
    Ok(registry.inner().pass(name, judge).await??.into())
}
