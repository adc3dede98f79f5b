//! Makes a run at rest small: deflate (RFC 1951), with a text that is like most of them as its dictionary.
//!
//! A checkpoint is a kilobyte of which most is said by every other one too. With the dictionary a third of it is left.

use std::io::Read as _;
use std::sync::LazyLock;

use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// What stands before what was packed with [`WORDS`]: deflate has no block that begins so (RFC 1951, 3.2.3).
const MARK: u8 = 0b111;
/// How far back a text is looked for, as a power of two: more would cost more to clear than checkpoints of this size give back.
const WINDOW: u8 = 13;
/// How many bytes are made room for at a time.
const ROOM: usize = 1_024;

/// The dictionary; what is likeliest stands last. It is part of the format: another one needs another mark.
const WORDS: &[u8] = br#"{"value":{"body":{"data":{"id":"name":"status":"done","output":null},"error":{"kind":"message":"http"error":
"foreach":"collect":"index":"item":"items":"limits":"retry":"finally"phase":"undo":[{"event":{"name":"key":"callback":{"id":"method":"POST"
"what":"timeout"what":"backoff"what":"sleep"],"undo":{"entries":[{"losses":{},"steps[0].then[1].do[2].else["step":"steps[0]","op":"timer"
"then":[{"call":{"op":"settings":"key":"attempt":1,"deadline":null,"integration":{"checkpoint":{"machine":1,"plan":"0123456789abcdef",
"id":"m-","now":"2026-11-27T17:18:31.479803592Z","next_op":5,"next_strand":1,"steps_used":2,"room_used":0,"is_cancelled":false,
"is_answered":false,"is_over":false,"opening":{"trigger":{"text":"hello","choice":null,"attachments":[]},"conversation":{"id":"+1",
"channel":"sms","account":""},"callbacks":[{}]},"strands":[{"id":0,"flow":0,"at":{"step":"steps[1]","op":"await"},"frames":[{"phase":"body"},
{"step":"steps[1]","phase":"body","call":{"step":"steps[1]","op":"call"},"attempts":1,"asking":{"since":"2026-11-27T17:18:31.455657177Z",
"until":"2026-11-28T17:18:31.455657177Z","misfits":0}}],"variables":{"values":{"trigger":{"value":{"text":"hello","choice":null,
"attachments":[]}}}},"blocked":{"await":{"op":3,"source":{"answer":{"takes_earlier":false}},"since":"2026-11-27T17:18:31.455657177Z",
"timer":4}}}],"groups":[],"timers":[{"op":1,"strand":0,"at":"2026-12-27T17:18:31.455657177Z","what":"age"},{"op":4,"strand":0,
"at":"2026-11-28T17:18:31.455657177Z","what":"answer"}],"undo":{}},"is_clean":true}"#;

/// Packs a text.
pub(crate) fn pack(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compress = Compress::new_with_window_bits(Compression::default(), false, WINDOW);
    compress.set_dictionary(&LINE)?;
    let mut packed = vec![MARK];
    while compress.total_in() < text.len() as u64 || text.is_empty() {
        packed.reserve(ROOM.max(text.len() / 2));
        if compress.compress_vec(rest(text, compress.total_in()), &mut packed, FlushCompress::Finish)?
            == Status::StreamEnd
        {
            return Ok(packed);
        }
    }
    loop {
        packed.reserve(ROOM);
        if compress.compress_vec(&[], &mut packed, FlushCompress::Finish)? == Status::StreamEnd {
            return Ok(packed);
        }
    }
}

/// Unpacks what was packed, with the dictionary or, as format 3 did, without.
pub(crate) fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let Some((&MARK, packed)) = packed.split_first() else {
        DeflateDecoder::new(packed).read_to_end(&mut text)?;
        return Ok(text);
    };
    let mut decompress = Decompress::new(false);
    decompress.set_dictionary(&LINE)?;
    loop {
        text.reserve(ROOM.max(4 * packed.len()));
        let before = (decompress.total_in(), text.len());
        let packed = rest(packed, decompress.total_in());
        let status = decompress.decompress_vec(packed, &mut text, FlushDecompress::Finish)?;
        if status == Status::StreamEnd {
            return Ok(text);
        }
        if before == (decompress.total_in(), text.len()) {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The dictionary in one line, as checkpoints are.
static LINE: LazyLock<Vec<u8>> =
    LazyLock::new(|| WORDS.iter().copied().filter(|byte| *byte != b'\n').collect());

fn rest(bytes: &[u8], done: u64) -> &[u8] {
    usize::try_from(done).ok().and_then(|done| bytes.get(done..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{pack, unpack};

    proptest! {
        #[test]
        fn what_was_packed_comes_out_as_it_was(text in "[ -~]{0,9000}") {
            prop_assert_eq!(unpack(&pack(text.as_bytes()).unwrap()).unwrap(), text.as_bytes());
        }

        #[test]
        fn what_is_cut_off_is_an_error_and_never_something_else(text in "[a-z]{20,400}", left in 0..20_usize) {
            let packed = pack(text.as_bytes()).unwrap();
            prop_assert!(unpack(&packed[..left.min(packed.len() - 1)]).map_or(true, |cut| cut.is_empty() || text.as_bytes() != cut));
        }
    }

    #[test]
    fn a_text_like_most_is_a_fraction_of_what_it_was() {
        let text = r#"{"checkpoint":{"machine":1,"plan":"d3569f08","id":"m-30c9","now":"2027-01-02T03:04:05.678Z","next_op":7}}"#;
        let packed = pack(text.as_bytes()).unwrap();
        assert!(packed.len() < text.len() / 2, "{} of {}", packed.len(), text.len());
    }
}
