//! Which connection makes room, and when.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn peer(number: u8) -> IpAddr {
    [10, 0, 0, number].into()
}

fn places(connections: &Arc<Connections>, number: u8, count: usize) -> Vec<Arc<Place>> {
    (0..count).map(|_| Arc::new(connections.free_place(peer(number)).unwrap())).collect()
}

async fn prove(place: &Arc<Place>) {
    let running = place.clone().run().await;
    place.answering(true);
    drop(running);
}

async fn is_told(place: &Place) -> bool {
    timeout(Duration::ZERO, place.displaced()).await.is_ok()
}

#[tokio::test]
async fn who_decides_stays_and_the_others_go_by_what_is_lost() {
    let connections = Connections::new(8);
    let all = places(&connections, 1, 1).into_iter().chain(places(&connections, 2, 2));
    let all: Vec<_> = all.chain(places(&connections, 3, 2)).collect();
    let [refused, idle, sending, deciding, late] = &all[..] else { panic!() };
    drop(refused.clone().run().await);
    prove(idle).await;
    prove(sending).await;
    let _sending = sending.clone().run().await;
    let _deciding = deciding.clone().run().await;
    deciding.deciding();
    let _late = late.clone().run().await;
    let later = Instant::now() + BEGINNING;
    let new = places(&connections, 4, 1);
    // Of an answered refusal and of who sends for long nothing is lost; the first has done nothing for longer.
    for expected in [refused, late, idle, &new[0], sending] {
        assert_eq!(connections.displace(later), Some(expected.peer()));
        assert!(is_told(expected).await);
    }
    assert_eq!(connections.displace(later), None);
}

#[tokio::test]
async fn an_address_that_has_more_than_a_quarter_gives_way_first() {
    let connections = Connections::new(8);
    let kept = places(&connections, 1, 1);
    prove(&kept[0]).await;
    let many = places(&connections, 2, 7);
    let mut held = Vec::new();
    for place in &many {
        prove(place).await;
        held.push(place.clone().run().await);
    }
    let next = tokio::spawn(async move {
        let place = connections.place(peer(1), |displaced| assert_eq!(displaced, peer(2))).await;
        (connections, place)
    });
    timeout(MINUTE, many[0].displaced()).await.unwrap();
    drop(held.remove(0));
    drop(many.into_iter().next());
    timeout(MINUTE, next).await.unwrap().unwrap();
    assert!(!is_told(&kept[0]).await);
}

#[tokio::test]
async fn a_request_at_the_moment_of_being_displaced_is_answered() {
    let connections = Connections::new(1);
    let place = places(&connections, 1, 1).remove(0);
    prove(&place).await;
    assert_eq!(connections.displace(Instant::now()), Some(peer(1)));
    let running = place.clone().run().await;
    assert!(!is_told(&place).await);
    assert_eq!(connections.running(), 1);
    drop(running);
    assert_eq!(connections.running(), 0);
}

#[tokio::test]
async fn the_next_request_waits_until_the_answer_to_the_last_is_sent() {
    let connections = Connections::new(1);
    let place = places(&connections, 1, 1).remove(0);
    let running = place.clone().run().await;
    assert!(timeout(Duration::ZERO, place.clone().run()).await.is_err());
    drop(running);
    assert!(timeout(MINUTE, place.run()).await.is_ok());
}

#[tokio::test]
async fn the_end_of_all_is_awaited_until_a_moment() {
    let connections = Connections::new(2);
    let place = connections.place(peer(1), |_| {}).await;
    assert!(!connections.ended(Instant::now()).await);
    assert_eq!(connections.count(), 1);
    drop(place);
    assert!(connections.ended(Instant::now() + MINUTE).await);
    assert_eq!(connections.count(), 0);
}
