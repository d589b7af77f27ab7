//! Pictures of every page, for people to look at: light and dark, small and large. They go to
//! `target/screenshots`.

use countersign_tests::{App, programs};
use serde_json::json;

const PAGES: &[&str] =
    &["overview", "approvals", "matrix", "tasks", "agents", "servers", "sessions", "audit"];
const SIZES: &[(u32, u32)] = &[(1024, 700), (1920, 1080)];

/// Takes pictures of every page of the console's window.
pub(crate) async fn of_every_page(app: &App, what: &str) {
    for (width, height) in SIZES {
        app.client().set_window_size(*width, *height).await.unwrap();
        for page in PAGES
            .iter()
            .map(|it| format!("t/acme/{it}"))
            .chain(["tenants".to_owned(), "settings".to_owned()])
        {
            app.script("location.hash = arguments[0]", vec![json!(format!("#/{page}"))]).await;
            let name = page.rsplit('/').next().unwrap_or(&page);
            of_page(app, &format!("{what}-{name}-{width}")).await;
            assert_fits(app, &page).await;
        }
    }
}

/// Takes pictures of the present page as it is, light and dark.
pub(crate) async fn of_page(app: &App, name: &str) {
    let scheme = "document.documentElement.setAttribute('data-mantine-color-scheme', arguments[0])";
    for colours in ["dark", "light"] {
        app.script(scheme, vec![json!(colours)]).await;
        let file = programs::target().join(format!("screenshots/{name}-{colours}.png"));
        app.picture(&file).await;
    }
}

/// Nothing sticks out of the window.
async fn assert_fits(app: &App, page: &str) {
    let wide = "return document.documentElement.scrollWidth - window.innerWidth";
    let sticking_out = app.script(wide, vec![]).await;
    assert!(sticking_out.as_i64().unwrap() <= 0, "{page} is {sticking_out} pixels too wide");
}
