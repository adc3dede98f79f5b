//! The table of T13: every route, walked from the table that the router is made of.

use std::net::SocketAddr;
use std::path::Path;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::{MethodFilter, any, on};
use flowrun::{SystemClock, SystemEntropy};
use http::header::{COOKIE, HOST, ORIGIN};
use http::{StatusCode, request};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use secrecy::ExposeSecret as _;

use url::Url;

use super::*;
use crate::routes::{ROUTES, Route};

const OURS: &str = "127.0.0.1:7373";

struct House {
    _folder: tempfile::TempDir,
    tokens: Arc<Tokens>,
    router: Router,
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let tokens = tokens(folder.path());
    let bound: SocketAddr = OURS.parse().unwrap();
    let public = Url::parse("https://flows.example.com").unwrap();
    let reach = Reach::new(bound, Some(&public), &[]);
    let bare = ROUTES.iter().fold(Router::new(), |router, route| {
        let answer = || async { "in" };
        let method = route.method.clone().map(|method| MethodFilter::try_from(method).unwrap());
        router.route(route.path, method.map_or_else(|| any(answer), |method| on(method, answer)))
    });
    House {
        router: before(bare, Arc::new(Guard { reach, tokens: Arc::clone(&tokens) })),
        tokens,
        _folder: folder,
    }
}

fn tokens(folder: &Path) -> Arc<Tokens> {
    Arc::new(Tokens::new(folder, Arc::new(SystemClock), Arc::new(SystemEntropy)))
}

impl House {
    fn token(&self, scopes: &[Scope]) -> String {
        let (_, text) = self.tokens.create("test", scopes, None).unwrap();
        format!("Bearer {}", text.expose_secret())
    }

    async fn ask(
        &self,
        route: &Route,
        change: impl FnOnce(request::Builder) -> request::Builder,
    ) -> StatusCode {
        let method = route.method.clone().unwrap_or(Method::POST);
        let path: String = route.path.chars().filter(|c| !matches!(c, '{' | '}' | '*')).collect();
        let far: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let asked = Request::builder().method(method).uri(path).extension(ConnectInfo(far));
        let asked = change(asked).body(Body::empty()).unwrap();
        TowerToHyperService::new(self.router.clone()).call(asked).await.unwrap().status()
    }
}

#[tokio::test]
async fn without_a_token_no_route_of_the_api_opens_t13() {
    let house = house();
    for route in &ROUTES {
        let status = house.ask(route, |asked| asked.header(HOST, OURS)).await;
        let is_open = matches!(route.access, Access::Open | Access::Proof);
        assert_eq!(status, if is_open { StatusCode::OK } else { StatusCode::UNAUTHORIZED }, "{route:?}");
        assert!(!is_open || !route.path.starts_with("/api/"), "{route:?}");
    }
}

#[tokio::test]
async fn cookie_alone_opens_no_api() {
    let house = house();
    let token = house.token(&Scope::ALL);
    for route in ROUTES.iter().filter(|route| route.path.starts_with("/api/")) {
        let status = house.ask(route, |asked| asked.header(HOST, OURS).header(COOKIE, &token)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{route:?}");
    }
}

#[tokio::test]
async fn a_token_opens_what_its_scope_says_and_nothing_else_t13() {
    let house = house();
    for route in &ROUTES {
        let Access::Scope(scope) = route.access else { continue };
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
        for (scopes, expected) in [(vec![scope], StatusCode::OK), (others, StatusCode::FORBIDDEN)] {
            let token = house.token(&scopes);
            let status =
                house.ask(route, |asked| asked.header(HOST, OURS).header(AUTHORIZATION, &token)).await;
            assert_eq!(status, expected, "{route:?}");
        }
    }
}

#[tokio::test]
async fn another_host_or_port_is_answered_nowhere_t13() {
    let house = house();
    let token = house.token(&Scope::ALL);
    let hosts = [
        (OURS, StatusCode::OK),
        ("localhost:7373", StatusCode::OK),
        ("FLOWS.example.com", StatusCode::OK),
        ("flows.example.com:443", StatusCode::OK),
        ("127.0.0.1", StatusCode::MISDIRECTED_REQUEST),
        ("127.0.0.1:7374", StatusCode::MISDIRECTED_REQUEST),
        ("evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("flows.example.com:7373", StatusCode::MISDIRECTED_REQUEST),
    ];
    for route in &ROUTES {
        for (host, expected) in hosts {
            let status =
                house.ask(route, |asked| asked.header(HOST, host).header(AUTHORIZATION, &token)).await;
            assert_eq!(status, expected, "{host} {route:?}");
        }
        let status = house.ask(route, |asked| asked.header(AUTHORIZATION, &token)).await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "no host {route:?}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_or_port_changes_nothing_t13() {
    let house = house();
    let token = house.token(&Scope::ALL);
    let site = "sec-fetch-site";
    let said: [(HeaderName, &str, bool); 8] = [
        (ORIGIN, "http://127.0.0.1:7373", true),
        (ORIGIN, "https://flows.example.com", true),
        (ORIGIN, "http://127.0.0.1:7374", false),
        (ORIGIN, "http://flows.example.com", false),
        (ORIGIN, "null", false),
        (site.parse().unwrap(), "same-origin", true),
        (site.parse().unwrap(), "same-site", false),
        (site.parse().unwrap(), "cross-site", false),
    ];
    for route in ROUTES.iter().filter(|route| route.method != Some(Method::GET)) {
        for (name, value, is_taken) in &said {
            let asked = |asked: request::Builder| {
                asked.header(HOST, OURS).header(AUTHORIZATION, &token).header(name, *value)
            };
            let expected = if *is_taken { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(house.ask(route, asked).await, expected, "{name}: {value} {route:?}");
        }
    }
}

#[tokio::test]
async fn a_form_is_no_body_of_the_api() {
    let house = house();
    let token = house.token(&Scope::ALL);
    for route in
        ROUTES.iter().filter(|route| route.path.starts_with("/api/") && route.method != Some(Method::GET))
    {
        for (kind, expected) in [
            ("application/json; charset=utf-8", StatusCode::OK),
            ("text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ("application/x-www-form-urlencoded", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ] {
            let asked = |asked: request::Builder| {
                let asked = asked.header(HOST, OURS).header(AUTHORIZATION, &token);
                asked.header(CONTENT_LENGTH, "2").header(CONTENT_TYPE, kind)
            };
            assert_eq!(house.ask(route, asked).await, expected, "{kind} {route:?}");
        }
    }
}
