//! `flowrun FLOW`: checks a flow, runs it to its end, and says how it went.
//!
//! Everything that can be known is asked before the first request: the flow, its inputs, its secrets, its
//! integrations. The registry is opened only for a flow that names one.

mod calls;
mod desk;
mod dry;
mod house;
mod inputs;
mod mock;
mod record;
mod scene;
mod secrets;
mod tap;

use std::path::Path;
use std::sync::Arc;

use flowrun::engine::{Engine, Outcome, Start};
use flowrun::lang::{self, Catalog, Code, Diagnostic, Flow, SourceText};
use flowrun::machine::Source;
use flowrun::step::{Entropy as _, IntegrationName, Outbound, RunId, Tenant};
use flowrun::{SystemClock, SystemEntropy};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::args::{MessageFormat, Output, StartArguments};
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
    if let Some(exit) = usable((world, &house, &beside), &source, &flow, steps).await? {
        return Ok(exit);
    }
    let (scene, waits) = scene(world, arguments, &flow);
    let tape = recorder.as_ref().map(Recorder::tape);
    let engine = engine((world, &house), (&scene, tape.as_ref()), secrets)?;
    let (post, mail) = flowrun::engine::mail();
    let desk = Desk::new(world, arguments, post, tape)?;
    let start =
        Start::new(run_id()?, inputs).trigger(trigger).conversation("terminal", "terminal").mail(mail);
    let running = Running { engine: &engine, flow: &flow, scene: &scene, desk, waits };
    let exit = running.go(world, start).await;
    if let Ok(Named { registry, .. }) = &house.integrations {
        // A refresh that is under way must be written down before the process ends.
        registry.settle().await;
    }
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
fn refused(world: &World, diagnostics: &[Diagnostic]) -> Result<Exit, Complaint> {
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
    (world, house, beside): (&World, &House, &Beside<'_>),
    source: &SourceText,
    flow: &Flow,
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
    let checked = lang::check_with(source, &steps.with_integrations(known), beside);
    if checked.flow.is_some() { Ok(None) } else { refused(world, &checked.diagnostics).map(Some) }
}

fn scene(
    world: &World,
    arguments: &StartArguments,
    flow: &Flow,
) -> (Arc<Scene>, UnboundedReceiver<(String, Source)>) {
    let (waiting, waits) = unbounded_channel();
    let scene = Arc::new(Scene {
        terminal: Arc::clone(&world.terminal),
        output: arguments.output,
        is_quiet: arguments.quiet,
        is_dry: arguments.dry_run,
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
    engine: &'a Engine,
    flow: &'a Flow,
    scene: &'a Scene,
    desk: Desk<'a>,
    waits: UnboundedReceiver<(String, Source)>,
}

impl Running<'_> {
    /// Runs to the end, to the end of a dry run, or until somebody interrupts: once lets the flow tidy up, twice ends
    /// it.
    async fn go(mut self, world: &World, start: Start) -> Result<Exit, Complaint> {
        let mut interrupts = Interrupts::listen()?;
        let cancel = CancellationToken::new();
        let mut unanswered = None;
        let running = self.engine.run(self.flow, start, cancel.clone());
        tokio::pin!(running);
        loop {
            let answered = tokio::select! {
                outcome = &mut running => {
                    return match unanswered {
                        Some(complaint) => Err(complaint),
                        None => told(world, self.flow, self.scene, outcome),
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

/// Says how it ended, in the form that was asked for.
fn told(world: &World, flow: &Flow, scene: &Scene, outcome: Outcome) -> Result<Exit, Complaint> {
    let (exit, status, outputs, diagnostic) = match outcome {
        Outcome::Done { outputs } => (Exit::Done, "done", Some(outputs), None),
        Outcome::Failed { diagnostic, .. } => (Exit::Failed, "failed", None, Some(diagnostic)),
        Outcome::TimedOut { diagnostic } => (Exit::TimedOut, "timed_out", None, Some(diagnostic)),
        Outcome::Cancelled { .. } => (Exit::Interrupted, "cancelled", None, None),
        _ => (Exit::Failed, "unknown", None, None),
    };
    if let Some(diagnostic) = &diagnostic {
        warn(world, std::slice::from_ref(&**diagnostic))?;
    }
    if exit == Exit::Interrupted {
        report::complain(
            &world.terminal,
            &Complaint::new(exit, "the run was interrupted").help("start it again"),
        );
    }
    let (sent, answer, lost) = {
        let mut heard = scene.heard();
        (std::mem::take(&mut heard.sent), heard.answer.take(), heard.lost.take())
    };
    written(lost.map_or(Ok(()), Err))?;
    let mut end = json!({
        "version": 1, "flow": flow.name(), "status": status, "outputs": outputs, "error": diagnostic,
    });
    if let (Some(answer), Some(end)) = (answer, end.as_object_mut()) {
        end.insert("answer".to_owned(), answer);
    }
    match (scene.output, end.as_object_mut()) {
        (Output::Text, _) | (_, None) => return Ok(exit),
        (Output::Json, Some(end)) => drop(end.insert("sent".to_owned(), json!(sent))),
        (Output::Ndjson, Some(end)) => drop(end.insert("event".to_owned(), json!("ended"))),
    }
    written(world.terminal.json(&end))?;
    Ok(exit)
}
