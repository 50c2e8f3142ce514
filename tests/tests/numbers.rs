//! The numbers are those of the store, or there are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use likeness_tests::{faces, service::Service};
use rusqlite::Connection;
use serde_json::Value;

#[test]
fn numbers_that_do_not_add_up_are_not_given() {
    let service = Service::start();
    let images = service.scratch().join("images");
    faces::folder(&images, 0..8, 1);
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "cells", images.to_str().unwrap()]);
    let published = service.json(&["retention", "numbers", "cells", "--publishable", "--json"]);
    assert_eq!(published["total"]["persons"], 8, "nothing here is small: {published}");
    service.ok(&["retention", "erase", "cells", "--subject-reference", "p00000", "--reason", "order"]);
    let published = service.json(&["retention", "numbers", "cells", "--publishable", "--json"]);
    assert_eq!(published["total"], Value::Null, "{published}");
    assert_eq!(published["divisions"]["state"]["beyond_use"], Value::Null);
    assert!(service.ok(&["retention", "numbers", "cells"]).contains("adds up to the total"));

    // An image that belongs to nobody, as a damaged file may have it.
    let records = Connection::open(service.data().join("pools/cells/records.sqlite")).unwrap();
    let damaged = records.execute_batch(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO image (id, subject, source, content, record, held, enrolled, template, collected_ms)
         SELECT randomblob(16), 9999, randomblob(32), content, record, 1, 0, NULL, collected_ms FROM image LIMIT 1;",
    );
    damaged.unwrap();
    let refused = service.cli(&["retention", "numbers", "cells"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("numbers_disagree") && said.contains("images: 8") && said.contains("images: 9"),
        "{said}"
    );
    assert!(refused.stdout.is_empty(), "no number was given");
}
