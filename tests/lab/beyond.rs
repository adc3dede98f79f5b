//! What goes beyond a code and its refreshes: discovery, devices, revocation, introspection, resources, and a no.

use crate::operator::{Ended, Operator};
use crate::provider::Lab;

fn authorised(operator: &Operator, lab: &Lab) {
    let mut waiting = operator.authorize("--no-browser");
    lab.consent_and_follow(&waiting.authorization_url(lab));
    waiting.ends_all_set();
}

/// OA-68, OA-69: one address is enough; what the provider publishes is kept and used from then on.
#[test]
fn an_issuer_is_enough_to_describe_a_provider() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_issuer(&mut lab, &[]);
    let shown = operator.does("show", &[]).stdout;
    for path in ["/auth", "/token", "/token/revocation", "/token/introspection", "/device/auth"] {
        let endpoint = format!("{}{path}\n", lab.issuer);
        assert!(shown.contains(&endpoint), "{endpoint} is not in {shown}");
    }
    authorised(&operator, &lab);
    assert_eq!(operator.run_flow(), Ended::last_name());
    let tally = lab.tally();
    assert_eq!((tally.codes, tally.other_errors, tally.faults), (1, 0, 0), "{tally:?}");
}

/// OA-68: the lab builds its endpoints from the Host header, and its name stays what it is.
#[test]
fn an_issuer_that_is_reached_by_another_name_is_refused_and_nothing_is_kept() {
    let Some(lab) = Lab::start(3600) else { return };
    let operator = Operator::at_home(&lab);
    let other = lab.issuer.replace("127.0.0.1", "localhost");
    let added = operator.add(&["--issuer", &other]);
    assert_eq!((added.code, &*added.stdout), (Some(1), ""), "{added:?}");
    let said = format!("the metadata is that of `{}`, not of `{other}`", lab.issuer);
    assert!(added.stderr.contains(&said), "{added:?}");
    assert_eq!(operator.says(&["integrations", "list", "--json"]).stdout.trim(), "[]");
}

/// OA-67, RFC 8628: the lab states no interval, so five seconds pass before each question.
#[test]
fn a_device_is_authorised_by_a_code_typed_elsewhere() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_issuer(&mut lab, &[]);
    let mut waiting = operator.authorize("--device");
    lab.consent_to_device(&waiting.verification_url(&lab));
    waiting.ends_all_set();
    assert_eq!(operator.run_flow(), Ended::last_name());
    // Stored as any other grant is, with what renews it.
    let refreshed = operator.does("refresh", &["--force"]);
    assert_eq!(refreshed.code, Some(0), "{refreshed:?}");
    let tally = lab.tally();
    assert_eq!((tally.devices, tally.codes, tally.refreshes, tally.faults), (1, 0, 1, 0), "{tally:?}");
}

/// OA-67, OA-70: a no ends the waiting, and so does the time one is willing to wait.
#[test]
fn a_device_that_is_denied_or_left_alone_is_not_authorised() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_issuer(&mut lab, &[]);
    let mut waiting = operator.authorize("--device");
    lab.deny_device(&waiting.verification_url(&lab));
    waiting.says("was denied");
    waiting.says("flowrun integrations authorize lab");
    waiting.ends_with(1);
    let left = operator.does("authorize", &["--device", "--timeout", "1s"]);
    assert_eq!(left.code, Some(5), "{left:?}");
    assert!(left.stderr.contains("nobody authorised `lab` within 1s"), "{left:?}");
}

/// OA-19: a no in the browser is said, and what was authorised before stays so.
#[test]
fn a_denial_leaves_an_earlier_authorization_as_it_was() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_issuer(&mut lab, &[]);
    authorised(&operator, &lab);
    let mut waiting = operator.authorize("--no-browser");
    lab.deny_and_follow(&waiting.authorization_url(&lab));
    waiting.says("the authorization was denied");
    waiting.ends_with(1);
    assert_eq!(operator.run_flow(), Ended::last_name());
}

/// OA-65, RFC 7009: after it, not even a copy of everything that was here is good for anything.
#[test]
fn a_revoked_grant_is_dead_at_the_provider_and_gone_here() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_issuer(&mut lab, &[]);
    authorised(&operator, &lab);
    let copy = operator.copied();
    assert_eq!(copy.run_flow(), Ended::last_name(), "the copy is as good as the original before");
    let unasked = operator.does("revoke", &[]);
    assert_eq!((unasked.code, lab.tally().revoked), (Some(2), 0), "nobody was asked: {unasked:?}");

    let revoked = operator.does("revoke", &["--yes"]);
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert!(revoked.stderr.contains("`lab` is revoked; its tokens are destroyed here"), "{revoked:?}");
    let run = operator.run_flow();
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(
        run.stderr.contains("needs_attention(revoked)") && run.stderr.contains("authorize lab"),
        "{run:?}"
    );
    assert_ne!(copy.run_flow().code, Some(0));
    let tally = lab.tally();
    assert_eq!((tally.revoked, tally.invalid_grant, tally.contacts), (1, 1, 1), "{tally:?}");
    let again = operator.does("revoke", &["--yes"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    authorised(&operator, &lab);
    assert_eq!(operator.run_flow(), Ended::last_name());
}

/// OA-66, RFC 7662: the provider is believed before the clock is.
#[test]
fn a_token_that_the_provider_forgot_counts_as_expired_once_it_was_asked() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_issuer(&mut lab, &[]);
    authorised(&operator, &lab);
    let active = operator.does("check", &["--remote"]);
    assert_eq!(active.code, Some(0), "{active:?}");
    assert!(active.stderr.contains("the token of lab is active"), "{active:?}");
    lab.forget();
    let forgotten = operator.does("check", &["--remote"]);
    assert_eq!(forgotten.code, Some(1), "{forgotten:?}");
    assert!(forgotten.stderr.contains("not active: it counts as expired"), "{forgotten:?}");
    assert_eq!(operator.run_flow(), Ended::last_name());
    let tally = lab.tally();
    assert_eq!((tally.refreshes, tally.invalid_grant, tally.faults), (1, 0, 0), "{tally:?}");
    assert_eq!(tally.denied, 0, "the dead token was not tried: {tally:?}");
}

/// OA-14, RFC 8707: what is asked for by resource is granted for it, and stays so with each refresh.
#[test]
fn a_resource_is_asked_for_and_decides_the_scope() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_issuer(&mut lab, &["--resource", "https://contacts.example.com/"]);
    authorised(&operator, &lab);
    let granted = || {
        let shown = operator.does("show", &["--json"]).stdout;
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON is printed");
        shown["granted_scopes"].clone()
    };
    assert_eq!(granted(), serde_json::json!(["contacts"]));
    let refreshed = operator.does("refresh", &["--force"]);
    assert_eq!(refreshed.code, Some(0), "{refreshed:?}");
    assert_eq!(granted(), serde_json::json!(["contacts"]));
    assert_eq!(operator.run_flow(), Ended::last_name());
}

/// OA-26, RFC 6749 2.3.1: a secret with signs in it passes if it is encoded, and is refused by name if it is not.
#[test]
fn a_secret_that_is_not_encoded_is_refused_and_the_help_says_what_to_look_at() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::by_hand(&mut lab, "basic_raw");
    let mut waiting = operator.authorize("--no-browser");
    lab.consent_and_follow(&waiting.authorization_url(&lab));
    waiting.says("refuses the client or its settings");
    waiting.says("flowrun integrations edit lab");
    waiting.ends_with(1);
    let tally = lab.tally();
    assert_eq!((tally.codes, tally.faults), (0, 0), "{tally:?}");

    let operator = Operator::by_hand(&mut lab, "basic");
    authorised(&operator, &lab);
    assert_eq!(lab.tally().codes, 1);
}
