use std::sync::Arc;
use finai_engine::{Limits, Model, Scorer};
fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "onnx")).collect();
    names.sort();
    for path in names {
        let rows: Vec<f64> = std::fs::read(path.with_extension("bin")).unwrap().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        let mut loaded = Model::load(&bytes, &Limits::default());
        if let Err(e) = &loaded && let Some(rest) = e.to_string().split("output has ").nth(1) {
            let n: usize = rest.split(' ').next().unwrap().parse().unwrap();
            let labels = (0..n).map(|i| i.to_string()).collect();
            loaded = Model::load_as(&bytes, &finai_engine::Declaration { labels: Some(labels), ..Default::default() }, &Limits::default());
        }
        match loaded {
            Err(e) => println!("{stem}\terror\t{e}"),
            Ok(model) => {
                let width = model.signature().features.len();
                let mut scorer = Scorer::new(Arc::new(model), 1000).unwrap();
                let mut bad = None;
                for row in rows.chunks_exact(width) {
                    scorer.batch().push_row().unwrap();
                    for (f, v) in row.iter().enumerate() { if let Err(e) = scorer.batch().set_float(f, *v) { bad = Some(e); } }
                }
                if let Some(e) = bad { println!("{stem}\terror\t{e}"); continue; }
                match scorer.run(&|| false) {
                    Err(e) => println!("{stem}\terror\t{e}"),
                    Ok(scores) => {
                        let n = scores.rows();
                        let out: Vec<String> = (0..n).map(|r| format!("{}:{}", scores.label(r).unwrap_or(""), scores.probabilities(r).iter().map(|p| format!("{p:?}")).collect::<Vec<_>>().join(","))).collect();
                        println!("{stem}\tok\t{}", out.join(";"));
                    }
                }
            }
        }
    }
}
