//! The consent page, as a browser and an attacker see it.

use http::Method;
use url::Url;

use crate::client::{Answered, LOOPBACK, Wire};

const AUTHORIZE: &str = "https://app.teamleader.eu/oauth2/authorize";

async fn open(wire: &Wire, parameters: &[(&str, &str)]) -> Answered {
    let mut url = Url::parse(AUTHORIZE).unwrap();
    url.query_pairs_mut().extend_pairs(parameters);
    wire.send(Method::GET, url.as_str(), &[], "").await
}

const GOOD: [(&str, &str); 3] =
    [("client_id", "sandbox-teamleader"), ("response_type", "code"), ("redirect_uri", LOOPBACK)];

fn csrf(page: &Answered) -> &str {
    page.body.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn the_page_is_not_kept_not_framed_and_runs_nothing() {
    let page = open(&Wire::start().await, &GOOD).await;
    let policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
                  form-action 'self' http://127.0.0.1:4711";
    assert_eq!(page.header("content-security-policy"), policy);
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let cookie = page.header("set-cookie");
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn what_the_request_says_is_escaped_on_the_page() {
    let scope = ("scope", "<script>alert(1)</script>&'");
    let page = open(&Wire::start().await, &[GOOD[0], GOOD[1], GOOD[2], scope]).await;
    assert!(!page.body.contains("<script>"), "{}", page.body);
    assert!(page.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;"), "{}", page.body);
}

/// RFC 6749 section 4.1.2.1: a bad client or redirect URI is told to the person, not redirected.
#[tokio::test]
async fn a_bad_request_is_told_on_a_page_and_leads_nowhere() {
    let wire = Wire::start().await;
    for (changed, reason) in [
        (("client_id", "another"), "client_id is missing or not known"),
        (("response_type", "token"), "response_type must be code"),
        (("redirect_uri", "http://flows.example/cb"), "redirect_uri must be https, or http on the loopback"),
        (("redirect_uri", "http://127.0.0.1/#f"), "redirect_uri must have no fragment and no user name"),
    ] {
        let parameters = GOOD.map(|kept| if kept.0 == changed.0 { changed } else { kept });
        let page = open(&wire, &parameters).await;
        assert_eq!((page.status, page.header("location")), (400, ""), "{changed:?}");
        assert!(page.body.contains(reason), "{changed:?}: {}", page.body);
    }
}

/// RFC 7636 section 4.2 and RFC 9700: `plain` and a challenge of the wrong length are no protection.
#[tokio::test]
async fn a_challenge_must_be_s256() {
    let wire = Wire::start().await;
    let challenge = ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    for extra in [
        vec![challenge],
        vec![challenge, ("code_challenge_method", "plain")],
        vec![("code_challenge", "short"), ("code_challenge_method", "S256")],
        vec![("code_challenge_method", "S256")],
    ] {
        assert_eq!(open(&wire, &[&GOOD[..], &extra].concat()).await.status, 400, "{extra:?}");
    }
}

#[tokio::test]
async fn an_answer_counts_once_and_only_from_the_browser_that_opened_the_page() {
    let wire = Wire::start().await;
    let page = open(&wire, &GOOD).await;
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let good = format!("csrf={}&answer=allow", csrf(&page));
    let send = |cookie: &str, form: &str| {
        let headers =
            [("cookie", cookie.to_owned()), ("content-type", "application/x-www-form-urlencoded".into())];
        let (wire, form) = (&wire, form.to_owned());
        async move {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            wire.send(Method::POST, AUTHORIZE, &headers, &form).await.status
        }
    };
    assert_eq!(send("__Host-consent=forged", &good).await, 400);
    assert_eq!(send(&cookie, "csrf=forged&answer=allow").await, 400);
    assert_eq!(send(&cookie, &good).await, 303);
    assert_eq!(send(&cookie, &good).await, 400);
}

#[tokio::test]
async fn a_page_left_open_for_ten_minutes_can_no_longer_be_answered() {
    let wire = Wire::start().await;
    let page = open(&wire, &GOOD).await;
    wire.pass(600);
    let cookie = page.header("set-cookie").split(';').next().unwrap();
    let form = format!("csrf={}&answer=allow", csrf(&page));
    assert_eq!(wire.send(Method::POST, AUTHORIZE, &[("cookie", cookie)], &form).await.status, 400);
}
