//! The reader of JSON against serde_json, on texts that are nearly JSON.

use crate::inputs::requests;
use crate::laws::json::{LOOKS, agree};
use crate::plugin::text::{Look, accepts};
use crate::properties::config;
use crate::random::Random;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};
use proptest::sample::{Index, select};

const TOKENS: [&str; 52] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"\"",
    "\"a\"",
    "\"a\":",
    "\"\\u00e9\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\u12g4\"",
    "\"\\x\"",
    "\"\\\\\"",
    "\"\\\"\"",
    "\"\t\"",
    "\"\u{7f}\"",
    "\"é☃\"",
    "\"",
    "\\",
    "0",
    "-0",
    "-",
    "1",
    "12",
    "01",
    "1.",
    "1.5",
    ".5",
    "1e5",
    "1E+5",
    "1e",
    "1e-",
    "-1.0e-10",
    "true",
    "false",
    "null",
    "tru",
    "nulll",
    " ",
    "\n",
    "\r\t",
    "\u{b}",
    "\u{a0}",
    "//",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn tokens_in_any_order_are_judged_alike(tokens in vec(select(&TOKENS[..]), 0..24), seed in any::<u64>()) {
        let text = tokens.concat();
        prop_assert_eq!(agree(text.as_bytes(), &mut Random::new(seed)), Ok(()));
    }

    #[test]
    fn json_with_one_other_byte_is_judged_alike(
        text in json_text(),
        at in any::<Index>(),
        byte in any::<u8>(),
        seed in any::<u64>(),
    ) {
        let mut random = Random::new(seed);
        prop_assert_eq!(agree(text.as_bytes(), &mut random), Ok(()));
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert_eq!(agree(&bytes, &mut random), Ok(()));
        bytes.remove(at);
        prop_assert_eq!(agree(&bytes, &mut random), Ok(()));
    }
}

const SCALARS: [&str; 9] =
    ["0", "-1.5e+7", "1e400", "true", "false", "null", "\"a\\n\\u0000\"", "\"☃\"", "\"\""];

/// A text that is JSON.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = select(&SCALARS[..]).prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 6, |inner| {
        let spaced = (select(&["", " ", "\n\t"][..]), inner)
            .prop_map(|(space, value)| format!("{space}{value}{space}"));
        let list = vec(spaced.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(",")));
        let names = select(&["a", "a", "\\u0061", "", "cache_control"][..]);
        let member = (names, spaced).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        let object = vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(" ,")));
        proptest::prop_oneof![list, object]
    })
}

#[test]
fn damaged_requests_are_judged_alike() {
    let mut random = Random::new(6);
    for input in requests() {
        let mut body = input.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&input.body).to_vec();
        agree(&body, &mut random).unwrap();
        for _ in 0..60 {
            let (at, bit) = (random.below(body.len()), random.below(8));
            body[at] ^= 1 << bit;
            agree(&body, &mut random).unwrap();
            body[at] ^= 1 << bit;
        }
    }
}

#[test]
fn nesting_ends_at_128_brackets() {
    let mut random = Random::new(7);
    for depth in (0..200).chain([100_000]) {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            agree(text.as_bytes(), &mut random).unwrap();
        }
        agree("[".repeat(depth).as_bytes(), &mut random).unwrap();
    }
}

#[test]
fn a_byte_order_mark_may_stand_in_front_and_nowhere_else() {
    for (text, expected) in [
        ("\u{feff}{}", true),
        ("\u{feff} 1", true),
        (" \u{feff}{}", false),
        ("\u{feff}\u{feff}{}", false),
        ("{}\u{feff}", false),
        ("\u{feff}", false),
    ] {
        let bytes = text.as_bytes();
        for look in LOOKS {
            assert_eq!(accepts(&[bytes], look), expected, "{text:?}");
            assert_eq!(accepts(&bytes.chunks(1).collect::<Vec<_>>(), look), expected, "{text:?}");
        }
    }
    assert!(!accepts(&[b"\xEF\xBB{}"], Look::Everywhere), "half of one is none");
}
