//! XGBoost's own library through its C interface, on one thread and without a copy of the rows.

use std::ffi::{CString, c_char, c_float, c_int, c_void};
use std::ops::Range;
use std::path::Path;

use libloading::Library;

use crate::{Contender, Table, Values, last, variable};

type Handle = *mut c_void;
type Create = unsafe extern "C" fn(*const Handle, u64, *mut Handle) -> c_int;
type Load = unsafe extern "C" fn(Handle, *const c_char) -> c_int;
type SetParam = unsafe extern "C" fn(Handle, *const c_char, *const c_char) -> c_int;
type Predict = unsafe extern "C" fn(
    Handle,
    *const c_char,
    *const c_char,
    Handle,
    *mut *const u64,
    *mut u64,
    *mut *const c_float,
) -> c_int;

/// Lives as long as the process: the booster is never freed.
pub struct Xgboost {
    library: Library,
    booster: Handle,
    rows: Vec<f32>,
    features: usize,
    config: CString,
    scores: Vec<f32>,
}

impl Xgboost {
    pub fn load(path: &Path) -> Xgboost {
        let text = |s: &str| CString::new(s).expect("no zero byte");
        let path = text(path.to_str().expect("a path in UTF-8"));
        let mut booster = std::ptr::null_mut();
        // SAFETY: the functions have these types in XGBoost's c_api.h; all pointers live through the calls.
        let library = unsafe {
            let library = Library::new(variable("XGBOOST_DYLIB_PATH")).expect("XGBoost");
            let create = library.get::<Create>(b"XGBoosterCreate").expect("a symbol");
            assert_eq!(create(std::ptr::null(), 0, &mut booster), 0);
            let load = library
                .get::<Load>(b"XGBoosterLoadModel")
                .expect("a symbol");
            assert_eq!(load(booster, path.as_ptr()), 0);
            let set = library
                .get::<SetParam>(b"XGBoosterSetParam")
                .expect("a symbol");
            assert_eq!(set(booster, c"nthread".as_ptr(), c"1".as_ptr()), 0);
            library
        };
        let config = r#"{"type":0,"iteration_begin":0,"iteration_end":0,"strict_shape":false,"missing":NaN,"cache_id":0,"training":false}"#;
        Xgboost {
            library,
            booster,
            rows: Vec::new(),
            features: 1,
            config: text(config),
            scores: Vec::new(),
        }
    }
}

impl Contender for Xgboost {
    fn name(&self) -> &'static str {
        "XGBoost"
    }

    fn fill(&mut self, table: &Table, rows: Range<usize>) {
        let [input] = table.inputs.as_slice() else {
            panic!("several inputs for XGBoost");
        };
        let Values::Floats(cells) = &input.values else {
            panic!("texts for XGBoost");
        };
        self.rows.clear();
        self.rows.extend_from_slice(&cells[input.cells(&rows)]);
        self.features = input.shape.iter().product();
    }

    fn score(&mut self) {
        let (address, rows) = (self.rows.as_ptr() as usize, self.rows.len() / self.features);
        let array = format!(
            r#"{{"data":[{address},true],"shape":[{rows},{}],"typestr":"<f4","version":3}}"#,
            self.features
        );
        let array = CString::new(array).expect("no zero byte");
        let (mut shape, mut dim, mut result) = (std::ptr::null(), 0, std::ptr::null());
        // SAFETY: the type is that of c_api.h; `array` describes `rows`, which live through the call; the result has a
        // float per row and stays until the next call.
        let found = unsafe {
            let predict = self
                .library
                .get::<Predict>(b"XGBoosterPredictFromDense")
                .expect("a symbol");
            let (array, config) = (array.as_ptr(), self.config.as_ptr());
            let none = std::ptr::null_mut();
            let status = predict(
                self.booster,
                array,
                config,
                none,
                &mut shape,
                &mut dim,
                &mut result,
            );
            assert_eq!(status, 0);
            std::slice::from_raw_parts(result, rows)
        };
        self.scores.clear();
        self.scores.extend_from_slice(found);
    }

    fn scores(&self) -> Vec<f64> {
        last(&self.scores, self.rows.len() / self.features)
    }
}
