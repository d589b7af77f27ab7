//! What is in the folder on the first start. All of it is invented.

use std::io::{self, Write};

use cap_std::fs::{Dir, OpenOptions};

use crate::files::OUTBOX;
use crate::settings;

const FILES: &[(&str, &str)] = &[
    (
        "README.txt",
        "The workbench\n\
         =============\n\n\
         This folder belongs to the sample server of Countersign. Agents that are allowed to\n\
         can read and write the files here, search `company.db`, and put mail into `outbox/`.\n\
         Nothing here is real, and nothing leaves this folder.\n",
    ),
    (
        "notes/welcome.md",
        "# Welcome\n\n\
         Try these, as one agent after the other:\n\n\
         1. read this file (every role may)\n\
         2. search the database for `espresso` (every role may)\n\
         3. write `notes/reply.md` (a reader may not; an executor's call waits for you)\n",
    ),
    (
        "notes/meeting.md",
        "# Weekly meeting\n\n\
         - Returns of the travel mug went up; Noor looks into the supplier.\n\
         - The price list for spring is ready for review (`reports/prices.csv`).\n\
         - Harbour Cafe asks for monthly invoices.\n",
    ),
    (
        "reports/prices.csv",
        "item,price_cents,available\n\
         espresso machine,45900,12\n\
         grinder,12900,30\n\
         travel mug,1900,140\n\
         kettle,5900,22\n\
         filter papers,400,900\n",
    ),
];

/// Customers: id, name, city.
pub(crate) const CUSTOMERS: &[(i64, &str, &str)] = &[
    (1, "Harbour Cafe", "Hamburg"),
    (2, "Ada Okafor", "Lagos"),
    (3, "Bakkerij Zon", "Utrecht"),
    (4, "Mei Tanaka", "Osaka"),
    (5, "Corner Books", "Dublin"),
    (6, "Luis Ferreira", "Porto"),
];

/// Orders: id, customer, date, item, cents, status.
pub(crate) const ORDERS: &[(i64, i64, &str, &str, i64, &str)] = &[
    (1001, 1, "2026-05-04", "espresso machine", 45_900, "delivered"),
    (1002, 1, "2026-05-04", "filter papers", 4_000, "delivered"),
    (1003, 2, "2026-05-19", "travel mug", 1_900, "returned"),
    (1004, 3, "2026-06-02", "grinder", 12_900, "delivered"),
    (1005, 4, "2026-06-11", "kettle", 5_900, "delivered"),
    (1006, 5, "2026-06-30", "espresso machine", 45_900, "paid"),
    (1007, 5, "2026-06-30", "grinder", 12_900, "paid"),
    (1008, 6, "2026-07-08", "travel mug", 3_800, "returned"),
    (1009, 2, "2026-07-15", "kettle", 5_900, "shipped"),
    (1010, 3, "2026-07-21", "filter papers", 8_000, "open"),
    (1011, 1, "2026-07-24", "travel mug", 19_000, "open"),
    (1012, 4, "2026-07-27", "espresso machine", 45_900, "open"),
];

/// Fills the folder on the first start: that is, when it has no settings yet.
pub(crate) fn fill(folder: &Dir) -> io::Result<()> {
    folder.create_dir_all(OUTBOX)?;
    if folder.try_exists(crate::files::SETTINGS)? {
        return Ok(());
    }
    for (path, text) in FILES {
        if let Some((parent, _)) = path.rsplit_once('/') {
            folder.create_dir_all(parent)?;
        }
        add(folder, path, text)?;
    }
    add(folder, crate::files::SETTINGS, &settings::initial())
}

/// Adds a file unless there is one.
fn add(folder: &Dir, path: &str, text: &str) -> io::Result<()> {
    match folder.open_with(path, OpenOptions::new().create_new(true).write(true)) {
        Ok(mut file) => file.write_all(text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
