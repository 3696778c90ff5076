//! The page that `make demo` writes, in real Chromium without a network: it shows every turn, and needs nothing but itself.

use std::collections::HashSet;

use demo::page::page;
use demo::play::play;
use demo::script::TURNS;
use e2e::{Bootstrap, Gateway};
use real::chromium::Page;
use real::loopback;
use serde_json::json;

const LANES: u64 = 12;

#[test]
fn the_page_shows_all_turns_of_both_plays() {
    loopback::only(async || {
        let plain = play(&Gateway::plain().await).await;
        let warm = play(&Gateway::start(Bootstrap::explaining()).await).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("demo.html");
        std::fs::write(&file, page(&plain, &warm)).expect("a written page");
        let mut page = Page::open(&file).await;
        let turns = LANES * TURNS as u64;
        assert_eq!(page.count(".panel").await, 2);
        assert_eq!(page.count(".lane .name:not(:empty)").await, 2 * LANES);
        assert_eq!(page.count(".turn").await, 2 * turns);
        assert_eq!(page.count(".turn.failed").await, 0);
        assert_eq!(page.count(".off").await, 2);
        assert_boxes_are_where_they_should_be(&mut page).await;
        assert_warmer(&mut page).await;
        assert_figures_show_when_pointed_at(&mut page).await;
        let light = colours(&page.picture(1280, 1.0).await);
        page.prefer("dark").await;
        let dark = colours(&page.picture(1280, 1.0).await);
        assert!(light.len() > 50 && dark.len() > 50, "{} and {} colours", light.len(), dark.len());
        assert_ne!(light.first(), dark.first(), "the paper is the same in the dark");
        assert!(page.complaints().is_empty(), "{:?}", page.complaints());
        let fetched = page.fetched();
        assert!(fetched.len() == 1 && fetched[0].starts_with("file://"), "{fetched:?}");
        println!(
            "page: {turns} turns in {LANES} lanes twice, nothing fetched, nothing in the console"
        );
    });
}

/// Boxes are inside their lanes, have a size, and none covers another.
async fn assert_boxes_are_where_they_should_be(page: &mut Page) {
    const WRONG: &str = r#"[...document.querySelectorAll(".track")].flatMap(track => {
        const inside = track.getBoundingClientRect();
        const boxes = [...track.querySelectorAll(".turn")].map(turn => turn.getBoundingClientRect());
        return boxes.filter((box, index) => box.width < 20 || box.height < 10 || box.left < inside.left - 1 || box.right > inside.right + 1
            || (index > 0 && boxes[index - 1].right > box.left)).map(box => JSON.stringify(box));
    })"#;
    assert_eq!(page.ask(WRONG).await, json!([]));
}

/// What is seen is what the totals say: more is filled on the right.
async fn assert_warmer(page: &mut Page) {
    const FILLED: &str = r#"[...document.querySelectorAll(".panel")].map(panel =>
        [...panel.querySelectorAll(".turn")].reduce((sum, turn) => sum + parseFloat(turn.style.getPropertyValue("--share")), 0))"#;
    let filled = page.ask(FILLED).await;
    let (plain, warm) = (filled[0].as_f64(), filled[1].as_f64());
    assert!(plain < warm, "{filled}");
}

async fn assert_figures_show_when_pointed_at(page: &mut Page) {
    const SHOWN: &str = r#"(() => {
        const turn = document.querySelectorAll(".turn")[1];
        const shown = () => getComputedStyle(turn.querySelector("[role=tooltip]")).display;
        const before = shown();
        turn.focus({focusVisible: true});
        const result = [before, shown(), turn.innerText.includes("tokens")];
        turn.blur();
        return result;
    })()"#;
    assert_eq!(page.ask(SHOWN).await, json!(["none", "block", true]));
}

/// Returns the colours of a picture, that of its first pixel first.
fn colours(picture: &[u8]) -> Vec<[u8; 3]> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a picture that fits")];
    let frame = reader.next_frame(&mut pixels).expect("a whole picture");
    let bytes = frame.color_type.samples();
    let mut seen = HashSet::new();
    let colours = pixels[..frame.buffer_size()]
        .chunks_exact(bytes)
        .map(|pixel| [pixel[0], pixel[1], pixel[2]]);
    colours.filter(|colour| seen.insert(*colour)).collect()
}
