//! Any reply of a token endpoint: it is a grant or an error, and the error repeats no secret.
#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use flowrun_fuzz::within_a_second;
use flowrun_oauth::{BoxFuture, Client, Exchange, ExchangeError, Kept, Preset, TokenEndpoint};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "canary-client-secret";
const TOKEN: &str = "canary-refresh-token";
const PROVIDERS: [&str; 4] = ["zoho", "teamleader", "google", "slack"];

/// Gives one reply to whatever is asked.
struct Reply(u16, Vec<u8>);

impl Exchange for Reply {
    fn exchange<'a>(
        &'a self,
        _: http::Request<Vec<u8>>,
    ) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, ExchangeError>> {
        let reply = http::Response::builder().status(self.0).body(self.1.clone()).expect("a reply");
        Box::pin(std::future::ready(Ok(reply)))
    }
}

fuzz_target!(|given: (u8, u16, &[u8])| {
    let (provider, status, body) = given;
    let name = PROVIDERS[usize::from(provider) % PROVIDERS.len()];
    let preset = Preset::named(name).expect("a preset");
    let Ok(provider) = preset.provider(&Default::default()) else { return };
    let client = Client { id: "client".to_owned(), secret: Some(SECRET.into()) };
    let exchange = Reply(200 + status % 400, body.to_vec());
    let endpoint = TokenEndpoint { exchange: &exchange, provider: &provider, client: &client };
    let (token, kept) = (TOKEN.into(), Kept::new());
    let refreshed = within_a_second(|| {
        match pin!(endpoint.refresh(&token, &kept)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(refreshed) => refreshed,
            Poll::Pending => panic!("there is nothing to wait for"),
        }
    });
    if let Err(error) = refreshed {
        let said = format!("{error} {error:?}");
        assert!(!said.contains(SECRET) && !said.contains(TOKEN), "{said}");
    }
});
