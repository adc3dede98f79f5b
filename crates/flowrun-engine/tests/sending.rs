//! What a flow sends, on channels that cannot carry everything (R5).

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "durable/edges.rs"]
#[expect(dead_code, reason = "other tests use more of the edges")]
mod edges;
#[path = "hosting/house.rs"]
#[expect(dead_code, reason = "other tests use more of the house")]
mod house;

use flowrun_engine::journal::Standing;
use flowrun_step::Capabilities;

use house::{House, run_of};

const COLOUR: &str = "name: colour\ntrigger: { message: { keywords: [go] } }\nsteps:\n  - id: which\n    \
                      ask: { text: \"Which colour?\", choices: [Red, green], attempts: 1 }\n  \
                      - send: \"{{steps.which.output}} it is.\"\n";

async fn house(flow: &str, can: Capabilities) -> House {
    let house = House::new(&[flow]).await;
    *house.world.can.lock().expect("unpoisoned") = can;
    house
}

fn says(text: &str) -> String {
    format!("name: says\ntrigger: {{ message: {{ keywords: [go] }} }}\nsteps: [ {{ send: {text} }} ]\n")
}

#[tokio::test(start_paused = true)]
async fn buttons_are_a_numbered_list_where_there_are_none_and_a_number_or_a_label_answers() {
    for (answer, taken) in [("2", "green"), ("1.", "Red"), ("GREEN", "green")] {
        let house = house(COLOUR, Capabilities::default().without_buttons()).await;
        house.says("go").await;
        house.says(answer).await;
        let expected = ["+31: Which colour?\n1. Red\n2. green".to_owned(), format!("+31: {taken} it is.")];
        assert_eq!(house.sent(), expected, "{answer}");
    }
    let house = house(COLOUR, Capabilities::default().without_buttons()).await;
    let run = run_of(&house.says("go").await);
    house.says("3").await;
    assert!(matches!(house.standing(&run).await, Some(Standing::Failed { .. })), "there is no third");
}

#[tokio::test(start_paused = true)]
async fn a_channel_with_buttons_is_given_the_text_as_it_is() {
    let house = house(COLOUR, Capabilities::default()).await;
    house.says("go").await;
    assert_eq!(house.sent(), ["+31: Which colour?"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_text_is_sent_in_parts_in_order_each_with_a_key_of_its_own() {
    let house = house(&says("\"We bake rolls and bread.\""), Capabilities::default().max_text(10)).await;
    let run = run_of(&house.says("go").await);
    assert_eq!(house.sent(), ["+31: We bake", "+31: rolls and", "+31: bread."]);
    let sent = house.world.sent.lock().expect("unpoisoned").clone();
    let key = sent[0].1.strip_suffix("-1").expect("the first");
    assert_eq!((sent[1].1.clone(), sent[2].1.clone()), (format!("{key}-2"), format!("{key}-3")));
    assert!(matches!(house.standing(&run).await, Some(Standing::Done { .. })));
}

#[tokio::test(start_paused = true)]
async fn what_a_channel_cannot_carry_is_refused_with_what_to_do_and_nothing_is_sent() {
    let can = Capabilities::default().without_media().without_templates();
    for (extra, lacks) in
        [("media: \"https://a.test/b.png\"", "media"), ("template: { name: hello }", "templates")]
    {
        let house = house(&says(&format!("{{ text: Look, {extra} }}")), can.clone()).await;
        let run = run_of(&house.says("go").await);
        let Some(Standing::Failed { error }) = house.standing(&run).await else { panic!("it fails") };
        let error = error.to_string();
        assert!(error.contains(&format!("the channel `sms` carries no {lacks}")), "{error}");
        assert!(error.contains("another channel"), "{error}");
        assert_eq!(house.sent(), [""; 0]);
    }
}
