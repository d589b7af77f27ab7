use std::net::Ipv4Addr;

use super::*;
use crate::unlock::Whose;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn address(number: u8) -> IpAddr {
    IpAddr::from(Ipv4Addr::new(192, 0, 2, number))
}

fn connect(consoles: &Consoles, number: u8) -> Option<Place> {
    let (console, operator) =
        (ConsoleId::from_random([number; 16]), OperatorId::from_random([number; 16]));
    let from = SocketAddr::new(address(number), 4000);
    let whose = Whose { operator, from: from.to_string() };
    let seat = Arc::new(Seat::of(whose, consoles.tries(console)));
    consoles.connect((console, operator), NOW, from, seat)
}

fn ended(handshake: &Handshake) -> bool {
    *handshake.ends.borrow()
}

/// Attacks D07: a console that floods takes its own places and nobody else's.
#[test]
fn d07_one_console_has_so_many_connections_and_all_together_have_so_many() {
    let consoles = Consoles::default();
    let mut places: Vec<Place> = (0..MOST_OF_ONE).map(|_| connect(&consoles, 1).unwrap()).collect();
    assert!(connect(&consoles, 1).is_none());
    places.push(connect(&consoles, 2).unwrap());
    places.swap_remove(0);
    places.push(connect(&consoles, 1).unwrap());
    for number in 3.. {
        match connect(&consoles, number) {
            Some(place) => places.push(place),
            None => break,
        }
    }
    assert_eq!(places.len(), MOST);
    assert_eq!(consoles.all().len(), MOST);
    consoles.cut(|it| it.from.ip() == address(1));
    assert_eq!(consoles.all().len(), MOST - MOST_OF_ONE, "who was cut off is not connected");
    drop(places);
    assert!(consoles.all().is_empty());
}

#[test]
fn d07_whoever_holds_many_handshakes_open_keeps_nobody_out() {
    let consoles = Consoles::default();
    let own: Vec<_> = (0..=MOST_OF_ADDRESS).map(|_| consoles.handshake(address(1))).collect();
    assert!(ended(&own[0]), "the oldest of an address that has too many gives way");
    assert!(own.iter().skip(1).all(|it| !ended(it)));

    // Seven addresses have all that one may have: then all places are taken.
    let others: Vec<_> = (2..9)
        .flat_map(|number| (0..MOST_OF_ADDRESS).map(move |_| number))
        .map(|number| consoles.handshake(address(number)))
        .collect();
    assert_eq!(own.len() - 1 + others.len(), MOST_HANDSHAKES);
    assert!(others.iter().all(|it| !ended(it)));
    let late = consoles.handshake(address(9));
    assert!(!ended(&late));
    let gave_way = own.iter().skip(1).chain(&others).filter(|it| ended(it)).count();
    assert_eq!(gave_way, 1, "one of those that have the most");
}

#[test]
fn d07_refusals_of_an_address_are_put_on_record_once_a_minute() {
    let consoles = Consoles::default();
    assert!(consoles.is_news(address(1), NOW));
    assert!(!consoles.is_news(address(1), NOW));
    assert!(consoles.is_news(address(2), NOW));
    let later = NOW.after(TELLING);
    assert!(consoles.is_news(address(1), later));

    // Of a crowd of addresses, no more are told of in a minute than are remembered.
    let of = |number: usize| IpAddr::from(u128::try_from(number).unwrap().to_be_bytes());
    let told = (0..MOST_TOLD * 2).filter(|number| consoles.is_news(of(*number), later)).count();
    assert_eq!(told, MOST_TOLD - 1, "the one from a minute ago made room");
    assert!(consoles.is_news(of(0), later.after(TELLING)), "what is a minute old makes room");
}
