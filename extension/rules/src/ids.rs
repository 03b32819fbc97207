//! Ids that sort by the time they were made.

use uuid::Uuid;

/// A version 7 UUID, greater than every one this process made before it.
///
/// Within one millisecond a 42-bit counter orders the ids; it also carries on when the clock is set back. Between
/// processes only the millisecond orders them.
pub fn uuid_v7() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[test]
    fn ids_made_one_after_another_grow() {
        let ids: Vec<Uuid> = (0..20_000).map(|_| uuid_v7()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn ids_made_by_many_threads_are_distinct() {
        let workers: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..5_000).map(|_| uuid_v7()).collect::<Vec<_>>()))
            .collect();
        let ids: Vec<Uuid> = workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("thread ended"))
            .collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 20_000);
    }

    #[test]
    fn an_id_carries_the_present_time_and_its_version() {
        let before = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let id = uuid_v7();
        let (seconds, _) = id.get_timestamp().expect("version 7 has a time").to_unix();
        assert_eq!(id.get_version_num(), 7);
        assert!(seconds >= before && seconds <= before + 5);
    }
}
