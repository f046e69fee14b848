//! Pictures of every screen in every size and both themes, for people to look at: run by
//! `cargo xtask screenshots`. They are in `test-results/screenshots`, one folder a size. Run by itself with
//! `outside`, `people`, `appointments`, `door`, `call` or `crowd` it takes that part alone, and leaves the others as they are.

#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on standard output"
)]

use std::path::Path;

use anyhow::{Context, Result};
use visavis_e2e::{Browser, Devices, Kind, Stage, run, tour};

/// Width and height in CSS pixels, and whether it is a touch screen.
const SCREENS: [(u32, u32, bool); 4] = [
    (360, 800, true),
    (768, 1024, true),
    (1280, 800, false),
    (1920, 1080, false),
];

/// Resolves when what follows a change of size has come to rest.
const AT_REST: &str = r#"
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    await frame();
    const moves = document.getAnimations().filter((move) => move instanceof CSSTransition);
    await Promise.allSettled(moves.map((move) => move.finished));
    await frame();
"#;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-results/screenshots");
    run("taking-pictures", async |stage: &Stage| {
        let parts: Vec<String> = std::env::args().skip(1).collect();
        let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
        if parts.is_empty() {
            std::fs::remove_dir_all(&folder).ok();
        }
        stage.serve().await?;
        // Four on few cores, each looked at in 4 sizes: slow cameras leave time for the pictures.
        let slow = Devices {
            frames_per_second: 5,
            face: Some(0),
            ..Devices::default()
        };
        let ada = stage.browser_with(Kind::Chromium, slow).await?;
        tour::prepare(&ada).await?;
        let look = async |screen: &str| shoot(&ada, &folder, screen).await;
        if is_wanted("outside") {
            tour::outside(stage, &ada, &look).await?;
        }
        if is_wanted("crowd") {
            tour::crowd(stage, &ada, slow, &look).await?;
            ada.leave().await?;
        }
        if is_wanted("people") {
            let bob = stage.browser(Kind::Chromium).await?;
            tour::people(stage, &ada, &bob, &look).await?;
        }
        if is_wanted("appointments") {
            let bob = stage.browser(Kind::Chromium).await?;
            tour::appointments(stage, &ada, &bob, &look).await?;
        }
        if is_wanted("door") {
            let bob = stage.browser(Kind::Chromium).await?;
            tour::door(stage, &ada, &bob, &look).await?;
        }
        if is_wanted("call") {
            tour::call(stage, &ada, &look).await?;
        }
        Ok(())
    });
    println!("pictures are in {}", folder.display());
}

async fn shoot(browser: &Browser, folder: &Path, screen: &str) -> Result<()> {
    for (width, height, is_touch) in SCREENS {
        browser.pretend_screen(width, height, is_touch).await?;
        let folder = folder.join(format!("{width}x{height}"));
        std::fs::create_dir_all(&folder)?;
        for theme in ["light", "dark"] {
            browser.pretend_wishes(&[("prefers-color-scheme", theme)]).await?;
            // The controls of a call step back where nothing moves.
            browser
                .script(
                    "document.querySelector('.call')?.dispatchEvent(new PointerEvent('pointermove'));",
                    Vec::new(),
                )
                .await?;
            browser.async_script(AT_REST, Vec::new()).await?;
            let picture = browser.driver().screenshot_as_png().await?;
            let path = folder.join(format!("{screen}-{theme}.png"));
            std::fs::write(&path, picture).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    browser.pretend_screen(1280, 800, false).await
}
