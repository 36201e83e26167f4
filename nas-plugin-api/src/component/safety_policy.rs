//! Safety policies.

use crate::error::PluginError;
use crate::verdict::{PolicyContext, Question, QuestionKind, Verdict};

/// Judges plans, candidates, progress, results and champions.
///
/// A policy's state is a fold over the questions it was asked: asked the same in the same order it
/// answers the same, so a restart does not make it forget. A policy that errs counts as halt.
pub trait SafetyPolicy: Send {
    /// The kinds of question that it answers; it is asked no other. Naming them saves the time of
    /// asking in vain. A policy that does not say is asked everything.
    fn answers(&self) -> Vec<QuestionKind> {
        QuestionKind::ALL.to_vec()
    }

    /// Names of the measurements that it reads at a question; what can't be measured there is
    /// refused before the search begins.
    fn needs(&self, question: QuestionKind) -> Vec<String> {
        let _ = question;
        Vec::new()
    }

    /// Answers.   \[configured\]
    ///
    /// # Errors
    /// Anything: the search halts.
    fn judge(
        &mut self,
        question: &Question,
        context: &PolicyContext,
    ) -> Result<Verdict, PluginError>;

    /// Answers questions of one moment, in their order; nothing to implement, unless all together
    /// are answered faster than each for itself.   \[configured\]
    ///
    /// # Errors
    /// Anything: none of the questions counts as answered, and the search halts.
    fn judge_many(
        &mut self,
        questions: &[Question],
        context: &PolicyContext,
    ) -> Result<Vec<Verdict>, PluginError> {
        questions.iter().map(|question| self.judge(question, context)).collect()
    }
}
