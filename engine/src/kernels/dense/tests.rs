use super::*;

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / 8_388_608.0 - 1.0)
                * [1.0, 1e-3, 1e3][(state >> 20) as usize % 3]
        })
        .collect()
}

/// The formula of the module, cell by cell.
fn expected(x: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
    let units = bias.len();
    (0..units)
        .map(|unit| {
            let partial = if units < 64 { 4 } else { 2 };
            let mut sums = [bias[unit], 0.0, 0.0, 0.0];
            for (k, x) in x.iter().enumerate() {
                let sum = &mut sums[k % partial];
                *sum = x.mul_add(weights[k * units + unit], *sum);
            }
            (sums[0] + sums[1]) + (sums[2] + sums[3])
        })
        .collect()
}

#[test]
fn every_kernel_has_the_bits_of_the_formula() {
    for width in [1, 2, 3, 4, 5, 10, 33] {
        for units in [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 81, 150] {
            let weights = numbers(width * units, (width * 100 + units) as u64);
            let bias = numbers(units, 7);
            let layer = Dense::new(weights.clone(), bias.clone());
            for rows in [1, 2, 3, 5, 6, 7, 13, 50] {
                let cells = numbers(rows * width, rows as u64);
                let x = Rows::new(&cells, 0, width, width, rows).unwrap();
                let (mut wide, mut plain) = (vec![0.0; rows * units], vec![0.0; rows * units]);
                let view = RowsMut::new(&mut wide, 0, units, units, rows).unwrap();
                layer
                    .run(
                        &[Slab::F32(x)],
                        &mut [SlabMut::F32(view)],
                        &mut Scratch::default(),
                    )
                    .unwrap();
                portable::run(
                    &layer,
                    &x,
                    &mut RowsMut::new(&mut plain, 0, units, units, rows).unwrap(),
                );
                let bits = |cells: &[f32]| cells.iter().map(|c| c.to_bits()).collect::<Vec<_>>();
                let expected: Vec<f32> = cells
                    .chunks(width)
                    .flat_map(|row| expected(row, &weights, &bias))
                    .collect();
                assert_eq!(bits(&plain), bits(&expected), "{width} {units} {rows}");
                assert_eq!(bits(&wide), bits(&expected), "{width} {units} {rows}");
            }
        }
    }
}

#[test]
fn activations_have_the_same_bits_in_every_kernel() {
    let (width, units, rows) = (6, 19, 9);
    let weights = numbers(width * units, 1);
    let mut cells = numbers(rows * width, 2);
    cells[3] = f32::NAN;
    cells[17] = f32::INFINITY;
    for activation in [
        Activation::Relu,
        Activation::LeakyRelu(0.1),
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Softmax,
    ] {
        let layer = Dense::new(weights.clone(), numbers(units, 3)).then(activation);
        let x = Rows::new(&cells, 0, width, width, rows).unwrap();
        let (mut wide, mut plain) = (vec![0.0; rows * units], vec![0.0; rows * units]);
        let view = RowsMut::new(&mut wide, 0, units, units, rows).unwrap();
        let run = layer.run(
            &[Slab::F32(x)],
            &mut [SlabMut::F32(view)],
            &mut Scratch::default(),
        );
        run.unwrap();
        portable::run(
            &layer,
            &x,
            &mut RowsMut::new(&mut plain, 0, units, units, rows).unwrap(),
        );
        let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(wide.iter().zip(&plain).all(same), "{activation:?}");
    }
}

#[test]
fn rows_of_another_width_are_refused() {
    let layer = Dense::new(vec![1.0; 6], vec![0.0; 2]);
    let mut out = vec![0.0; 2];
    let x = Rows::new(&[1.0, 2.0], 0, 2, 2, 1).unwrap();
    let view = RowsMut::new(&mut out, 0, 2, 2, 1).unwrap();
    let run = layer.run(
        &[Slab::F32(x)],
        &mut [SlabMut::F32(view)],
        &mut Scratch::default(),
    );
    assert!(run.is_err());
}

#[test]
fn layers_on_top_of_each_other_are_layers_one_after_another() {
    let sizes = [5, 70, 20, 3];
    let layers: Vec<Dense> = sizes
        .windows(2)
        .map(|s| {
            let weights = numbers(s[0] * s[1], s[1] as u64);
            Dense::new(weights, numbers(s[1], 9)).then(Activation::Relu)
        })
        .collect();
    let rows = 101;
    let mut cells = numbers(rows * 5, 4);
    let x = cells.clone();
    for layer in &layers {
        let mut out = vec![0.0; rows * layer.units()];
        let view = Rows::new(&cells, 0, layer.width, layer.width, rows).unwrap();
        let mut to = RowsMut::new(&mut out, 0, layer.units(), layer.units(), rows).unwrap();
        layer.apply(&view, &mut to).unwrap();
        cells = out;
    }
    let network = network::Network::new(layers).unwrap();
    let mut scratch = Scratch {
        f32: vec![f32::NAN; network.scratch().f32 * rows],
        ..Scratch::default()
    };
    let mut out = vec![0.0; rows * 3];
    let view = RowsMut::new(&mut out, 0, 3, 3, rows).unwrap();
    let x = Slab::F32(Rows::new(&x, 0, 5, 5, rows).unwrap());
    network
        .run(&[x], &mut [SlabMut::F32(view)], &mut scratch)
        .unwrap();
    assert_eq!(out, cells);
}

#[test]
fn layers_that_do_not_fit_are_no_network() {
    let layer = |width: usize, units: usize| Dense::new(vec![0.0; width * units], vec![0.0; units]);
    assert!(network::Network::new(vec![layer(2, 3)]).is_none());
    assert!(network::Network::new(vec![layer(2, 3), layer(4, 1)]).is_none());
}
