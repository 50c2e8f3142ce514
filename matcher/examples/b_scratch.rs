#![allow(warnings)]
use likeness_matcher::{pipeline::Models, runtime::*, *};
use likeness_models::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
struct Rec(Arc<dyn Inference>, Mutex<Vec<Tensor>>);
impl Inference for Rec {
    fn input(&self) -> &[Side] {
        self.0.input()
    }
    fn run(&self, t: Tensor) -> Result<Vec<Output>, Fault> {
        self.1.lock().unwrap().push(t.clone());
        self.0.run(t)
    }
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()
}
fn main() {
    let home = Home::locate().unwrap();
    let lib = home.runtime_library().unwrap();
    let pack = Pack::open(&home, "face-api").unwrap();
    let ms = Models::load(
        &pack,
        &lib,
        PoolSize { sessions: 1, queue: 10, wait: std::time::Duration::from_secs(10) },
    )
    .unwrap();
    let rec: Vec<Arc<Rec>> = [Some(ms.detector.clone()), ms.landmarks.clone(), Some(ms.embedder.clone())]
        .into_iter()
        .map(|n| Arc::new(Rec(n.unwrap(), Default::default())))
        .collect();
    let opt = MatcherOptions { sessions: 1, ..Default::default() };
    let m = Matcher::with_models(pack.manifest(), ms.clone(), &opt).unwrap();
    let m2 = Matcher::with_models(
        pack.manifest(),
        Models { detector: rec[0].clone(), landmarks: Some(rec[1].clone()), embedder: rec[2].clone() },
        &opt,
    )
    .unwrap();
    for f in std::env::args().skip(1) {
        for r in &rec {
            r.1.lock().unwrap().clear();
        }
        let b = std::fs::read(&f).unwrap();
        m2.analyse(&b, &Selection::Largest, &QualityPolicy::default()).unwrap();
        let ts: Vec<(Arc<dyn Inference>, Tensor)> = rec
            .iter()
            .flat_map(|r| {
                let n = r.0.clone();
                r.1.lock().unwrap().clone().into_iter().map(move |t| (n.clone(), t))
            })
            .collect();
        let (mut fl, mut pi, mut cf, mut cp) = (vec![], vec![], 0., 0.);
        let mut tot: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for _ in 0..100 {
            let cl: Vec<_> = ts.iter().map(|t| t.1.clone()).collect();
            let c0 = cpu();
            let t0 = std::time::Instant::now();
            for ((n, _), t) in ts.iter().zip(cl) {
                n.run(t).unwrap();
            }
            fl.push(t0.elapsed().as_secs_f64() * 1e3);
            cf += cpu() - c0;
            let c0 = cpu();
            let t0 = std::time::Instant::now();
            let (_, t) = m.analyse_timed(&b, &Selection::Largest, &QualityPolicy::default()).unwrap();
            pi.push(t0.elapsed().as_secs_f64() * 1e3);
            cp += cpu() - c0;
            for (n, d) in t.stages() {
                tot.entry(n).or_default().push(d.as_secs_f64() * 1e3);
            }
        }
        fl.sort_by(f64::total_cmp);
        pi.sort_by(f64::total_cmp);
        println!("{f}: cpu floor {:.2} ms pipeline {:.2} ms ratio {:.3}", cf / 10., cp / 10., cf / cp);
        println!(
            "best-decile wall floor {:.2} pipeline {:.2} ratio {:.3}; {:?}",
            fl[10],
            pi[10],
            fl[10] / pi[10],
            tot.iter_mut()
                .map(|(n, v)| {
                    v.sort_by(f64::total_cmp);
                    format!("{n} {:.2}", v[10])
                })
                .collect::<Vec<_>>()
        );
    }
}
