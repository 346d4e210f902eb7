use super::*;
use sekisho_protocol::secret::SecretText;
use std::time::Duration;

fn alice() -> PrincipalName {
    PrincipalName::local("alice").unwrap()
}

fn credential(password: &str) -> DelegatedCredential {
    DelegatedCredential { domain: "LAB".into(), user: "alice".into(), password: SecretText::new(password.to_owned()) }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn password(lease: &Lease) -> String {
    lease.credential().unwrap().password.with(str::to_owned)
}

#[tokio::test]
async fn a_lease_opens_what_was_kept() {
    let store = CredentialStore::new().unwrap();
    let _hold = store.keep(&alice(), credential("pässword ≠ 1")).unwrap();
    let lease = store.lease(&alice(), None, soon()).await.unwrap();
    assert_eq!(password(&lease), "pässword ≠ 1");
    assert_eq!(lease.credential().unwrap().domain, "LAB");
    assert!(!format!("{store:?} {lease:?}").contains("pässword"));
}

#[tokio::test]
async fn the_last_hold_wipes() {
    let store = CredentialStore::new().unwrap();
    let first = store.keep(&alice(), credential("x")).unwrap();
    let second = first.another();
    drop(first);
    assert!(store.has(&alice()));
    drop(second);
    assert!(store.is_empty());
    assert_eq!(store.lease(&alice(), None, soon()).await.unwrap_err(), LeaseError::Gone);
}

#[tokio::test]
async fn a_new_login_replaces_and_forgets_refusals() {
    let store = CredentialStore::new().unwrap();
    let _first = store.keep(&alice(), credential("wrong")).unwrap();
    store.lease(&alice(), None, soon()).await.unwrap().refused();
    store.lease(&alice(), None, soon()).await.unwrap().refused();
    assert_eq!(store.lease(&alice(), None, soon()).await.unwrap_err(), LeaseError::Refused(2));
    let _second = store.keep(&alice(), credential("right")).unwrap();
    assert_eq!(password(&store.lease(&alice(), None, soon()).await.unwrap()), "right");
}

#[tokio::test]
async fn a_late_refusal_of_an_earlier_login_does_not_count_against_the_new_one() {
    let store = CredentialStore::new().unwrap();
    let _first = store.keep(&alice(), credential("wrong")).unwrap();
    let old = store.lease(&alice(), None, soon()).await.unwrap();
    let _second = store.keep(&alice(), credential("right")).unwrap();
    old.refused();
    store.lease(&alice(), None, soon()).await.unwrap().refused();
    assert!(store.lease(&alice(), None, soon()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_fanned_out_is_tried_twice_in_all() {
    let store = CredentialStore::new().unwrap();
    let _hold = store.keep(&alice(), credential("wrong")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let tries: Vec<_> = (0..32)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let lease = store.lease(&alice(), Some("LAB"), deadline).await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
                lease.refused();
                Ok::<_, LeaseError>(())
            })
        })
        .collect();
    let mut sent = 0;
    for attempt in tries {
        match attempt.await.unwrap() {
            Ok(()) => sent += 1,
            Err(error) => assert_eq!(error, LeaseError::Refused(2)),
        }
    }
    assert_eq!(sent, 2);
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_accepted_is_tried_in_parallel() {
    let store = CredentialStore::new().unwrap();
    let _hold = store.keep(&alice(), credential("right")).unwrap();
    store.lease(&alice(), Some("LAB"), soon()).await.unwrap().accepted();
    let mut leases = Vec::new();
    for _ in 0..10 {
        leases.push(store.lease(&alice(), Some("lab"), soon()).await.unwrap());
    }
    // Another realm has its own account, and proves nothing for this one.
    let _one = store.lease(&alice(), Some("OTHER"), soon()).await.unwrap();
    let _two = store.lease(&alice(), Some("OTHER"), soon()).await.unwrap();
    assert_eq!(store.lease(&alice(), Some("OTHER"), soon()).await.unwrap_err(), LeaseError::Deadline);
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_at_its_deadline() {
    let store = CredentialStore::new().unwrap();
    let _hold = store.keep(&alice(), credential("x")).unwrap();
    let lease = store.lease(&alice(), None, soon()).await.unwrap();
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(lease.credential().unwrap_err(), LeaseError::Deadline);
}
