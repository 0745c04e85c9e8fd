use super::*;

/// With the least cost there is, so that tests are fast.
fn alice() -> User {
    let hash = bcrypt::hash("secret", 4).unwrap();
    format!("alice:{hash}").parse().unwrap()
}

fn from(port: u16, credentials: &str) -> Request {
    let token = BASE64_STANDARD.encode(credentials);
    let mut request = Request::get("/").with_header("Authorization", format!("Basic {token}"));
    request.peer = Some(([192, 0, 2, 1], port).into());
    request
}

fn site() -> impl Handler {
    authenticated(vec![alice()], |_: &Request| Response::text("in"))
}

#[test]
fn only_who_knows_the_password_comes_in() {
    let site = site();
    for (credentials, status) in [
        ("alice:secret", 200),
        ("alice:secret", 200),
        ("alice:Secret", 401),
        ("alice:", 401),
        ("alice", 401),
        ("bob:secret", 401),
    ] {
        assert_eq!(
            site.handle(&from(1, credentials)).status().as_u16(),
            status,
            "{credentials}"
        );
    }
    let response = site.handle(&Request::get("/"));
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(
        response
            .headers()
            .get("WWW-Authenticate")
            .unwrap()
            .starts_with("Basic realm=")
    );
    for field in ["Bearer abc", "Basic", "Basic !!!", "Basic /w=="] {
        let request = Request::get("/").with_header("Authorization", field);
        assert_eq!(
            site.handle(&request).status(),
            StatusCode::UNAUTHORIZED,
            "{field}"
        );
    }
}

#[test]
fn an_address_that_is_wrong_too_often_waits_and_others_do_not() {
    let site = site();
    assert_eq!(
        site.handle(&from(1, "alice:secret")).status(),
        StatusCode::OK
    );
    let guess = |guess| site.handle(&from(1, &format!("alice:{guess}")));
    let (statuses, waits): (Vec<_>, Vec<_>) = (0..12)
        .map(guess)
        .map(|answer| (answer.status().as_u16(), answer.delay()))
        .unzip();
    assert_eq!(statuses[..10], [401; 10]);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(waits[..5], [Duration::ZERO; 5]);
    assert!(
        waits[5..10].is_sorted() && waits[9] > 2 * waits[5],
        "{waits:?}"
    );
    assert_eq!(waits[11], Duration::ZERO, "a refusal is no guess");
    assert_eq!(
        site.handle(&from(1, "alice:secret")).status(),
        StatusCode::OK,
        "remembered"
    );
    let mut elsewhere = from(1, "alice:wrong");
    elsewhere.peer = Some(([192, 0, 2, 2], 1).into());
    let answer = site.handle(&elsewhere);
    assert_eq!(
        (answer.status(), answer.delay()),
        (StatusCode::UNAUTHORIZED, Duration::ZERO)
    );
}

#[test]
fn a_right_password_is_not_slowed_down_by_wrong_ones_before_it() {
    let site = site();
    for guess in 0..8 {
        site.handle(&from(1, &format!("alice:{guess}")));
    }
    let right = site.handle(&from(1, "alice:secret"));
    assert_eq!(
        (right.status(), right.delay()),
        (StatusCode::OK, Duration::ZERO)
    );
}

#[test]
fn a_name_that_is_not_there_takes_the_time_of_any_that_is() {
    let user = |(name, cost)| {
        let hash = bcrypt::hash("secret", cost).unwrap();
        format!("{name}:{hash}").parse().unwrap()
    };
    let users = [("alice", 4), ("bob", 9)].map(user).to_vec();
    let site = authenticated(users, |_: &Request| Response::text("in"));
    let times = (0..64).map(|name| {
        let mut guess = from(1, &format!("{name}:secret"));
        guess.peer = None;
        let begin = Instant::now();
        assert_eq!(site.handle(&guess).status(), StatusCode::UNAUTHORIZED);
        begin.elapsed()
    });
    let mut times: Vec<_> = times.collect();
    times.sort();
    // Bob's is 32 times Alice's.
    assert!(times[48] > 8 * times[16], "{times:?}");
}

#[test]
fn only_so_many_answers_are_held_back_in_all() {
    let mut guesses = Guesses::default();
    let address = IpAddr::from([192, 0, 2, 1]);
    guesses.set(address, FAILURES_MAX + FAILURES_HELD_MAX);
    let waits = (0..2 * HELD_MAX).map(|_| guesses.hold_back(address));
    assert_eq!(waits.filter(|wait| !wait.is_zero()).count(), HELD_MAX);
}

#[test]
fn many_guesses_at_once_are_too_many_and_one_password_for_many_files_is_not() {
    let answers = |site: &(dyn Handler + Sync), words: &dyn Fn(usize) -> String| -> Vec<u16> {
        let requests: Vec<Request> = (0..12).map(|number| from(1, &words(number))).collect();
        std::thread::scope(|scope| {
            let asked: Vec<_> = requests
                .iter()
                .map(|request| scope.spawn(move || site.handle(request).status().as_u16()))
                .collect();
            asked
                .into_iter()
                .map(|asked| asked.join().unwrap())
                .collect()
        })
    };
    let site = site();
    assert_eq!(answers(&site, &|_| "alice:secret".to_owned()), [200; 12]);
    let guesses = answers(&site, &|number| format!("alice:{number}"));
    assert!(
        guesses.contains(&429) && !guesses.contains(&503),
        "{guesses:?}"
    );
}

#[test]
fn one_wrong_password_again_and_again_is_wrong_too_often_though_it_never_stops_being_tried() {
    // With the cost of every day, so that there is always one that waits.
    let alice = User::with_password("alice", "secret").unwrap();
    let site = authenticated(vec![alice], |_: &Request| Response::text("in"));
    let guess = || {
        let asked = (0..40).map(|_| site.handle(&from(1, "alice:wrong")).status().as_u16());
        asked.collect::<Vec<_>>()
    };
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let guessing: Vec<_> = (0..4).map(|_| scope.spawn(guess)).collect();
        let answers = guessing.into_iter().map(|guesses| guesses.join().unwrap());
        answers.flatten().collect()
    });
    assert!(
        answers.contains(&429) && !answers.contains(&200),
        "{answers:?}"
    );
}

#[test]
fn a_user_who_was_let_in_is_not_delayed_by_guesses_from_everywhere() {
    // With the cost of every day, so that guesses wait for one another.
    let alice = User::with_password("alice", "secret").unwrap();
    let site = authenticated(vec![alice], |_: &Request| Response::text("in"));
    assert_eq!(
        site.handle(&from(1, "alice:secret")).status(),
        StatusCode::OK
    );
    let stop = std::sync::atomic::AtomicBool::new(false);
    let busy = AtomicUsize::new(0);
    let guess = |guesser: u8| {
        for n in (0..=u8::MAX).cycle() {
            let mut guess = from(1, &format!("alice:{guesser}-{n}"));
            guess.peer = Some(([10, 0, guesser, n], 1).into());
            if site.handle(&guess).status() == StatusCode::SERVICE_UNAVAILABLE {
                busy.fetch_add(1, Ordering::Relaxed);
            }
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for guesser in 0..20 {
            let guess = &guess;
            scope.spawn(move || guess(guesser));
        }
        while busy.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        let again = (0..50).map(|_| site.handle(&from(1, "alice:secret")).status());
        let again: Vec<_> = again.collect();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(again, [StatusCode::OK; 50]);
    });
}

#[test]
fn a_body_is_not_read_from_who_may_not_come_in() {
    let upload = from(1, "alice:wrong").with_header("Content-Length", "1000000");
    let response = site().handle_head(&upload);
    let status = response.map(|response| response.status());
    assert_eq!(status, Some(StatusCode::UNAUTHORIZED));
}
