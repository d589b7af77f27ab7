//! `search_database`: invented customers and orders, looked through but never changed.

use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row};

use crate::files::DATABASE;
use crate::tool::Failed;
use crate::{Bench, sample, settings};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    query: String,
    limit: Option<u32>,
}

#[derive(Serialize)]
pub(crate) struct Found {
    total: usize,
    matches: Vec<Match>,
}

#[derive(Serialize)]
struct Match {
    order: i64,
    ordered_on: String,
    customer: String,
    city: String,
    item: String,
    amount_cents: i64,
    status: String,
}

/// Finds orders by a text in them or in their customer.
pub(crate) async fn search(bench: &Bench, asked: Arguments) -> Result<Found, Failed> {
    if asked.query.trim().is_empty() || asked.query.len() > 200 {
        return Err(Failed::because("the query has 1 to 200 bytes"));
    }
    let limit = match asked.limit {
        Some(limit @ 1..=100) => limit,
        Some(_) => return Err(Failed::because("the limit is between 1 and 100")),
        None => settings::read(bench).await?.search_limit,
    };
    let found = look(bench, &asked.query).await;
    let mut matches = found.map_err(|_| Failed::because("the database cannot be read"))?;
    let total = matches.len();
    matches.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Found { total, matches })
}

async fn look(bench: &Bench, text: &str) -> sqlx::Result<Vec<Match>> {
    let mut db = options(bench).read_only(true).connect().await?;
    let rows = sqlx::query(
        "SELECT o.id, o.ordered_on, c.name, c.city, o.item, o.amount_cents, o.status
           FROM orders o JOIN customers c ON c.id = o.customer_id
          WHERE instr(lower(c.name || char(10) || c.city || char(10) || o.item || char(10)
                || o.status), lower(?1)) > 0
          ORDER BY o.ordered_on DESC, o.id DESC",
    )
    .bind(text.trim())
    .fetch_all(&mut db)
    .await?;
    db.close().await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> sqlx::Result<Match> {
    Ok(Match {
        order: row.try_get(0)?,
        ordered_on: row.try_get(1)?,
        customer: row.try_get(2)?,
        city: row.try_get(3)?,
        item: row.try_get(4)?,
        amount_cents: row.try_get(5)?,
        status: row.try_get(6)?,
    })
}

fn options(bench: &Bench) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(bench.path.join(DATABASE))
}

/// Makes the database unless it is there. It is made in one transaction, so that two servers
/// which start at once on one folder find it whole.
pub(crate) async fn fill(bench: &Bench) -> sqlx::Result<()> {
    let mut db: SqliteConnection = options(bench).create_if_missing(true).connect().await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut db).await?;
    let made = make(&mut db).await;
    let end = if made.is_ok() { "COMMIT" } else { "ROLLBACK" };
    sqlx::query(end).execute(&mut db).await?;
    db.close().await?;
    made
}

async fn make(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let there = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'orders'");
    if there.fetch_optional(&mut *db).await?.is_some() {
        return Ok(());
    }
    sqlx::raw_sql(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL)
             STRICT;
         CREATE TABLE orders (id INTEGER PRIMARY KEY,
             customer_id INTEGER NOT NULL REFERENCES customers (id), ordered_on TEXT NOT NULL,
             item TEXT NOT NULL, amount_cents INTEGER NOT NULL, status TEXT NOT NULL) STRICT;",
    )
    .execute(&mut *db)
    .await?;
    for (id, name, city) in sample::CUSTOMERS {
        sqlx::query("INSERT INTO customers VALUES (?1, ?2, ?3)")
            .bind(*id)
            .bind(*name)
            .bind(*city)
            .execute(&mut *db)
            .await?;
    }
    for (id, customer, on, item, cents, status) in sample::ORDERS {
        sqlx::query("INSERT INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .bind(*id)
            .bind(*customer)
            .bind(*on)
            .bind(*item)
            .bind(*cents)
            .bind(*status)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}
