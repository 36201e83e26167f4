//! The side that has the library.

use super::message::{Answer, Call, Creation, Method, Reply};
use crate::adapter::{
    Library, benchmark, fitness, maker, one_shot_strategy, operations, policy, space, strategy,
};
use crate::error::{ErrorCode, PluginError};

/// A library of which one component is made and called, as a [`super::Line`]'s messages say.
pub struct Served {
    library: Library,
    object: Option<Object>,
}

/// The component, once it is made.
enum Object {
    Operations(operations::Object),
    Space(space::Object),
    Strategy(strategy::Object),
    OneShotStrategy(one_shot_strategy::Object),
    Fitness(fitness::Object),
    Policy(policy::Object),
    Benchmark(benchmark::Object),
}

impl Served {
    /// A library of which nothing is made yet.
    #[must_use]
    pub fn new(library: Library) -> Self {
        Self { library, object: None }
    }

    /// Makes the component, or calls it.
    pub fn answer(&mut self, call: Call) -> Reply {
        Reply(self.call(call.0))
    }

    fn call(&mut self, method: Method) -> Result<Answer, PluginError> {
        match (method, &mut self.object) {
            (Method::Create(creation), None) => {
                self.object = Some(Object::create(&self.library, &creation)?);
                Ok(Answer::Done)
            }
            (Method::Operations(method), Some(Object::Operations(object))) => {
                super::operations::answer(object, method)
            }
            (Method::Space(method), Some(Object::Space(object))) => {
                super::space::answer(object, method)
            }
            (Method::Strategy(method), Some(Object::Strategy(object))) => {
                super::strategy::answer(object, method)
            }
            (Method::OneShotStrategy(method), Some(Object::OneShotStrategy(object))) => {
                super::one_shot_strategy::answer(object, method)
            }
            (Method::Fitness(method), Some(Object::Fitness(object))) => {
                super::fitness::answer(object, method)
            }
            (Method::Policy(method), Some(Object::Policy(object))) => {
                super::policy::answer(object, method)
            }
            (Method::Benchmark(method), Some(Object::Benchmark(object))) => {
                super::benchmark::answer(object, method)
            }
            _ => {
                let text = "answer: this process has no component, or one of another kind";
                Err(PluginError::new(ErrorCode::Message, text))
            }
        }
    }
}

impl Object {
    fn create(library: &Library, creation: &Creation) -> Result<Self, PluginError> {
        match creation.capability.as_str() {
            operations::ID => maker::Object::create(library, creation).map(Self::Operations),
            space::ID => maker::Object::create(library, creation).map(Self::Space),
            strategy::ID => maker::Object::create(library, creation).map(Self::Strategy),
            one_shot_strategy::ID => {
                maker::Object::create(library, creation).map(Self::OneShotStrategy)
            }
            fitness::ID => maker::Object::create(library, creation).map(Self::Fitness),
            policy::ID => maker::Object::create(library, creation).map(Self::Policy),
            benchmark::ID => maker::Object::create(library, creation).map(Self::Benchmark),
            other => Err(PluginError::unsupported(format!("make a component of `{other}`"))),
        }
    }
}
