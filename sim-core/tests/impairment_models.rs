//! Loss in bursts, extra delay and varying rates, against their closed forms.

mod common;

use common::{arrivals, losses, ms, one_link, send_from_a, us};
use sim_core::impairments::{
    AnyDelay, AnyLoss, AnyRate, DelayModel, GilbertElliott, LossModel, RateProcess, TwoStateRate,
};
use sim_core::plugin::Plugin;
use sim_core::{LinkModels, Rate, Rng, SimDuration, SimTime};

#[test]
fn gilbert_elliott_has_the_loss_rate_and_burst_length_of_its_closed_form() {
    const N: usize = 400_000;
    for (turns, loss) in [
        ([0.01, 0.3], [0.0, 1.0]),
        ([0.002, 0.05], [0.0, 1.0]),
        ([0.05, 0.2], [0.001, 0.5]),
    ] {
        let model = GilbertElliott::new(turns, loss);
        let [p, r] = turns;
        // Long-run share of time in the bad state p / (p + r).
        let expected = (r * loss[0] + p * loss[1]) / (p + r);
        let mut rng = Rng::stream(3, "losses", 0);
        let mut channel = model;
        let lost: Vec<bool> = (0..N)
            .map(|_| channel.is_lost(SimTime::ZERO, &mut rng))
            .collect();
        let share = lost.iter().filter(|l| **l).count() as f64 / N as f64;
        // Losses within a burst are correlated: the variance is that of independent losses times
        // about (1 + c) / (1 - c), where c = 1 - p - r is the correlation from packet to packet.
        let c = 1.0 - p - r;
        let sigma = (expected * (1.0 - expected) / N as f64 * (1.0 + c) / (1.0 - c)).sqrt();
        assert!(
            (share - expected).abs() < 4.0 * sigma,
            "{share} for {expected}"
        );
        if loss == [0.0, 1.0] {
            let bursts = lost.windows(2).filter(|w| w == &[false, true]).count() as f64;
            let mean = share * N as f64 / bursts;
            // Geometric with mean 1 / r and standard deviation sqrt(1 - r) / r.
            let sigma = (1.0 - r).sqrt() / r / bursts.sqrt();
            assert!(
                (mean - 1.0 / r).abs() < 4.0 * sigma,
                "{mean} for {}",
                1.0 / r
            );
        }
    }
}

#[test]
fn a_link_loses_in_bursts_and_says_so() {
    let network = one_link(|l| {
        l.impairments.loss = GilbertElliott::new([0.02, 0.25], [0.0, 1.0])
            .plugin()
            .into()
    });
    let packets: Vec<_> = (0..20_000).map(|i| (10 * i, 100)).collect();
    let (records, stats) = send_from_a(&network, &packets);
    let lost = losses(&records).len() as u64;
    assert_eq!(stats.links[0].random_losses, lost);
    assert_eq!(stats.links[0].wire_losses, lost);
    let share = lost as f64 / 20_000.0;
    assert!((share - 0.0741).abs() < 0.02, "{share}");
}

#[test]
fn exponential_extra_delay_has_its_mean_and_keeps_order_by_default() {
    let models = LinkModels::default();
    for reorder in ["false", "true"] {
        let given = [("mean", "100 us"), ("reorder", reorder)];
        let delay = models.delays.plugin("exponential", &given).unwrap();
        // 1 ms apart: rarely close enough to wait for each other.
        let network = one_link(|l| l.impairments.extra_delay = delay.into());
        let packets: Vec<_> = (0..20_000).map(|i| (1000 * i, 100)).collect();
        let got = arrivals(&send_from_a(&network, &packets).0);
        let late = got.iter().map(|(i, at)| at - (1000 * i + 1000) as f64);
        let mean = late.sum::<f64>() / got.len() as f64;
        // The standard deviation of the mean is 100 / sqrt(20 000) = 0.7 us.
        assert!((mean - 100.0).abs() < 3.0, "{mean}");

        let together: Vec<_> = (0..1000).map(|i| (i, 100)).collect();
        let got = arrivals(&send_from_a(&network, &together).0);
        assert_eq!(got.is_sorted_by_key(|(i, _)| *i), reorder == "false");
    }
}

#[test]
fn a_two_state_rate_carries_the_mean_of_its_rates_while_busy() {
    let mut process = TwoStateRate::new(Rate::mbps(2), [ms(30), ms(10)]);
    let mut rng = Rng::stream(5, "rate", 0);
    let mut at = SimTime::ZERO;
    const N: u64 = 40_000;
    for _ in 0..N {
        at = process.end_of_transmission(at, 1250, Some(Rate::mbps(10)), &mut rng);
    }
    let mbps = (N * 10_000) as f64 / at.as_secs_f64() / 1e6;
    // (30 * 10 + 10 * 2) / 40.
    assert!((mbps - 8.0).abs() < 0.15, "{mbps}");
}

/// Loses every third packet, delays the others by one us for each packet before them, sends at 8
/// Mbit/s.
#[derive(Debug, Default)]
struct Own(u64);

impl LossModel for Own {
    fn is_lost(&mut self, _: SimTime, _: &mut Rng) -> bool {
        self.0 += 1;
        self.0.is_multiple_of(3)
    }
}

impl DelayModel for Own {
    fn extra(&mut self, _: SimTime, _: &mut Rng) -> SimDuration {
        self.0 += 1;
        us(self.0)
    }
    fn may_reorder(&self) -> bool {
        false
    }
}

impl RateProcess for Own {
    fn end_of_transmission(
        &mut self,
        start: SimTime,
        bytes: u32,
        _: Option<Rate>,
        _: &mut Rng,
    ) -> SimTime {
        start + us(bytes.into())
    }
}

#[test]
fn user_defined_models_plug_in() {
    let network = one_link(|l| {
        l.impairments.loss = Plugin::of("third", || AnyLoss::custom(Own(0))).into();
        l.impairments.extra_delay = Plugin::of("more", || AnyDelay::custom(Own(0))).into();
        l.rate_process = Some(Plugin::of("byte", || AnyRate::custom(Own(0))));
    });
    let (records, _) = send_from_a(&network, &[(0, 10); 5]);
    assert_eq!(
        arrivals(&records),
        [(0, 1011.0), (1, 1022.0), (3, 1043.0), (4, 1054.0)]
    );
}
