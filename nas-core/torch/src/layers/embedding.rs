//! Token numbers to learnt vectors.

use nas_plugin_api::graph;
use tch::{Kind, TchError, Tensor};

use super::{Call, Module};
use crate::parameters::{Declarations, Initial, LearntIndex};

#[derive(Debug)]
pub(super) struct Embedding {
    weight: LearntIndex,
}

impl Embedding {
    pub(super) fn new(
        embedding: &graph::Embedding,
        name: &str,
        declare: &mut Declarations,
    ) -> Self {
        let size = [embedding.vocabulary as i64, embedding.features as i64];
        Self { weight: declare.learnt(format!("{name}.weight"), &size, Initial::Normal) }
    }
}

impl Module for Embedding {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let tokens = call.input()?.f_to_kind(Kind::Int64)?;
        Tensor::f_embedding(&call.pass.learnt[self.weight].tensor, &tokens, -1, false, false)
    }
}
