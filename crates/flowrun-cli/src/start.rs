//! `flowrun FLOW`: checks a flow, runs it to its end, and says how it went.
//!
//! Everything that can be known is asked before the first request: the flow, its inputs, its secrets, its
//! integrations. The registry is opened only for a flow that names one.

mod calls;
mod desk;
mod dry;
mod ending;
mod house;
mod inputs;
pub(crate) mod journal;
mod mock;
mod record;
pub(crate) mod resume;
mod scene;
pub(crate) mod secrets;
mod tap;

use std::path::Path;
use std::sync::Arc;

use flowrun::engine::{Engine, Outcome, Start};
use flowrun::journal::SqliteJournal;
use flowrun::lang::{self, Catalog, Checked, Code, Diagnostic, Flow, SourceText};
use flowrun::machine::Source;
use flowrun::step::{Entropy as _, IntegrationName, Outbound, RunId, Tenant};
use flowrun::{SystemClock, SystemEntropy};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::args::{MessageFormat, StartArguments, TalkArguments};
use crate::beside::Beside;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::output::written;
use crate::report;
use crate::source;
use crate::suggest::verb_like;
use crate::world::World;

use desk::Desk;
use dry::Nowhere;
use ending::told;
use house::{House, Named};
use record::{Recorder, Recording, Tape};
use scene::{Eyes, Mouth, Scene};
use secrets::Secrets;
use tap::{Seen, Tapped, Wrap, Wrapped};

/// Runs a flow.
pub(crate) async fn start(world: &World, arguments: &StartArguments) -> Result<Exit, Complaint> {
    let file = arguments.flow.as_deref().unwrap_or(Path::new("-"));
    let source = match read(world, file)? {
        Ok(source) => source,
        Err(diagnostic) => return refused(world, &[diagnostic]),
    };
    let beside = Beside::of(world, file);
    let house = match &arguments.mock {
        Some(case) => match mock::house(world, case, (&source, &beside))? {
            Ok(house) => house,
            Err(diagnostics) => return refused(world, &diagnostics),
        },
        None if arguments.sandbox => house::sandbox().await?,
        None => house::real(world),
    };
    let steps = steps(world, &house)?;
    let checked = lang::check_with(&source, &steps, &beside);
    let Some(flow) = checked.flow else { return refused(world, &checked.diagnostics) };
    let trigger = inputs::trigger(world, arguments, &flow)?;
    let is_asked = Desk::is_manned(world, arguments);
    let given = inputs::given(world, arguments)?;
    let inputs = match flow.accept_from(&given, &trigger, is_asked) {
        Ok(inputs) => inputs,
        Err(diagnostics) => return refused(world, &diagnostics),
    };
    warn(world, &checked.diagnostics)?;
    let begin = |test_file| {
        let recording = Recording::new(&flow, (&given, &trigger), &inputs);
        Recorder::begin(world, (test_file, file), &flow, recording)
    };
    let recorder = arguments.record.as_deref().map(begin).transpose()?;
    let secrets = match arguments.sandbox || arguments.dry_run || arguments.mock.is_some() {
        true => Secrets::placeholders(&flow),
        false => Secrets::of(world, &flow)?,
    };
    let check = |catalog: &Catalog| lang::check_with(&source, catalog, &beside);
    if let Some(exit) = usable((world, &house), (&flow, &check), steps).await? {
        return Ok(exit);
    }
    let (scene, waits) = scene(world, (&arguments.talk, arguments.dry_run), &flow);
    let tape = recorder.as_ref().map(Recorder::tape);
    let id = id_of(arguments)?;
    let journal = if arguments.durable { Some(kept(world, &id, arguments).await?) } else { None };
    let engine = engine((world, &house), (&scene, tape.as_ref()), secrets, journal)?;
    let (post, mail) = flowrun::engine::mail();
    let desk = Desk::new(world, &arguments.talk, post, tape)?;
    let start =
        Start::new(id.clone(), inputs).trigger(trigger).conversation("terminal", "terminal").mail(mail);
    let running = Running { flow: &flow, scene: &scene, desk, waits };
    let cancel = CancellationToken::new();
    let exit = running.go(world, &id, (engine.run(&flow, start, cancel.clone()), cancel)).await;
    house.settle().await;
    if let (Some(recorder), Ok(exit)) = (recorder, &exit) {
        recorder.end(*exit)?;
    }
    exit
}

fn read(world: &World, file: &Path) -> Result<Result<SourceText, Diagnostic>, Complaint> {
    let bytes = source::read(world, file).map_err(|complaint| match verb_like(file) {
        Some(verb) => complaint.help(format!("did you mean `flowrun {verb}`?")),
        None => complaint,
    })?;
    Ok(SourceText::new(&file.display().to_string(), bytes))
}

/// Shows what is wrong; nothing was sent.
pub(crate) fn refused(world: &World, diagnostics: &[Diagnostic]) -> Result<Exit, Complaint> {
    warn(world, diagnostics)?;
    Ok(Exit::of(diagnostics))
}

fn warn(world: &World, diagnostics: &[Diagnostic]) -> Result<(), Complaint> {
    written(report::show(&world.terminal, MessageFormat::Human, diagnostics))
}

fn steps(world: &World, house: &House) -> Result<Catalog, Complaint> {
    let engine = world.engine(Arc::new(SystemClock), Arc::clone(&house.plain)).build();
    let engine = engine.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    Ok(Catalog::new(engine.steps().clone()))
}

/// Asks for every integration of the flow before step one; says so and how to exit if one cannot be used.
async fn usable(
    (world, house): (&World, &House),
    (flow, check): (&Flow, &dyn Fn(&Catalog) -> Checked),
    steps: Catalog,
) -> Result<Option<Exit>, Complaint> {
    if flow.integrations().is_empty() {
        return Ok(None);
    }
    let Named { registry, used } = match &house.integrations {
        Ok(named) => named,
        Err(complaint) => return Err(complaint.clone()),
    };
    if let Some(sandbox) = &house.sandbox {
        let texts: String = flow.sources().map(SourceText::text).collect();
        for used in flow.integrations() {
            house::authorise(world, sandbox, registry, used, &texts).await?;
        }
    }
    let known = used
        .list(&Tenant::default())
        .await
        .map_err(|error| Complaint::from_error(Exit::Unusable, &error).with_code(Code::Registry))?;
    let checked = check(&steps.with_integrations(known));
    if checked.flow.is_some() { Ok(None) } else { refused(world, &checked.diagnostics).map(Some) }
}

fn scene(
    world: &World,
    (talk, is_dry): (&TalkArguments, bool),
    flow: &Flow,
) -> (Arc<Scene>, UnboundedReceiver<(String, Source)>) {
    let (waiting, waits) = unbounded_channel();
    let scene = Arc::new(Scene {
        terminal: Arc::clone(&world.terminal),
        output: talk.output,
        is_quiet: talk.quiet,
        is_dry,
        seen: Seen::default(),
        calls: calls::planned(flow),
        heard: Default::default(),
        ended: Default::default(),
        waiting,
    });
    (scene, waits)
}

fn engine(
    (world, house): (&World, &House),
    (scene, tape): (&Arc<Scene>, Option<&Tape>),
    secrets: Secrets,
    journal: Option<Arc<SqliteJournal>>,
) -> Result<Engine, Complaint> {
    let wrap = wrap(scene, tape.cloned());
    let plain = wrap(Arc::clone(&house.plain), None);
    let mut builder = world
        .engine(Arc::new(SystemClock), plain)
        .channel(Mouth(Arc::clone(scene)))
        .observer(Eyes(Arc::clone(scene)))
        .secrets(secrets);
    if let Ok(Named { used, .. }) = &house.integrations {
        let wrapped = Wrapped { inner: Arc::clone(used), wrap };
        builder = builder.integrations(match tape {
            Some(tape) => tape.kept_of(wrapped),
            None => Arc::new(wrapped),
        });
    }
    if let Some(journal) = journal {
        builder = builder.journal(journal);
    }
    builder.build().map_err(|error| Complaint::from_error(Exit::Failed, &error))
}

/// What stands between a step and its way out.
fn wrap(scene: &Arc<Scene>, tape: Option<Tape>) -> Wrap {
    let scene = Arc::clone(scene);
    Arc::new(move |inner: Arc<dyn Outbound>, name: Option<&IntegrationName>| -> Arc<dyn Outbound> {
        if scene.is_dry {
            Arc::new(Nowhere { scene: Arc::clone(&scene), integration: name.cloned() })
        } else {
            let inner = tape.as_ref().map_or(Arc::clone(&inner), |tape| tape.of(inner));
            Arc::new(Tapped { inner, seen: scene.seen.clone() })
        }
    })
}

/// A run, and those who watch and answer it.
struct Running<'a> {
    flow: &'a Flow,
    scene: &'a Scene,
    desk: Desk<'a>,
    waits: UnboundedReceiver<(String, Source)>,
}

impl Running<'_> {
    /// Runs to the end, to the end of a dry run, or until somebody interrupts: once lets the flow tidy up, twice ends
    /// it.
    async fn go(
        mut self,
        world: &World,
        id: &RunId,
        (running, cancel): (impl Future<Output = Outcome>, CancellationToken),
    ) -> Result<Exit, Complaint> {
        let mut interrupts = Interrupts::listen()?;
        let mut unanswered = None;
        tokio::pin!(running);
        loop {
            let answered = tokio::select! {
                outcome = &mut running => {
                    return match unanswered {
                        Some(complaint) => Err(complaint),
                        None => told(world, id, (self.flow, self.scene), outcome),
                    };
                }
                () = self.scene.ended.notified() => return Ok(Exit::Done),
                Some((step, source)) = self.waits.recv() => self.desk.waits(step, source),
                line = self.desk.line() => self.desk.typed(line),
                () = interrupts.next() => {
                    if cancel.is_cancelled() {
                        let twice = "interrupted twice: the flow did not tidy up";
                        return Err(Complaint::new(Exit::Interrupted, twice));
                    }
                    world.terminal.say("interrupted: the flow tidies up; interrupt again to end it at once");
                    cancel.cancel();
                    Ok(())
                }
            };
            if let Err(complaint) = answered {
                unanswered.get_or_insert(complaint);
                cancel.cancel();
            }
        }
    }
}

fn run_id() -> Result<RunId, Complaint> {
    let mut bytes = [0; 16];
    SystemEntropy.fill(&mut bytes);
    let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    RunId::new(&id).map_err(|error| Complaint::from_error(Exit::Failed, &error))
}

/// The id that a person wrote.
pub(crate) fn named(id: &str) -> Result<RunId, Complaint> {
    RunId::new(id).map_err(|error| Complaint::from_error(Exit::Usage, &error))
}

/// The id of a run: its own, or the one that was asked for.
fn id_of(arguments: &StartArguments) -> Result<RunId, Complaint> {
    match &arguments.id {
        Some(id) => named(id),
        None => run_id(),
    }
}

/// The journal in which the run is kept.
async fn kept(
    world: &World,
    id: &RunId,
    arguments: &StartArguments,
) -> Result<Arc<SqliteJournal>, Complaint> {
    let journal = journal::Kept::own(world)?.open(world).await?;
    if !arguments.talk.quiet {
        world.terminal.say(&format!("run {id}, kept; if its process dies: flowrun runs resume {id}"));
    }
    Ok(journal)
}
