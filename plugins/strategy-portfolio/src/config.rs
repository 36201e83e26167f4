//! Its settings.

nas_plugin_api::configuration! {
    /// Settings of the portfolio.
    pub struct PortfolioConfig {
        /// Genotypes that are trained before anything is learnt, the most promising ones by their
        /// proxies.
        #[schemars(range(min = 2, max = 10_000))]
        pub starts: usize = 2_usize,
        /// The same where no proxies are looked at, since the run has none, they take too long, or
        /// `sample` is 0: random ones.
        #[schemars(range(min = 2, max = 10_000))]
        pub random_starts: usize = 10_usize,
        /// Untrained networks that are measured in the beginning, where the run has zero-cost
        /// proxies; 0 does without proxies altogether.
        #[schemars(range(min = 0, max = 100_000))]
        pub sample: usize = 1000_usize,
        /// Most untrained neighbours that are measured before each training.
        #[schemars(range(min = 0, max = 1000))]
        pub neighbours: usize = 20_usize,
        /// Genotypes thought best so far whose neighbours are looked at.
        #[schemars(range(min = 1, max = 1000))]
        pub centres: usize = 6_usize,
        /// Genotypes that are looked at beside.
        #[schemars(range(min = 1, max = 100_000))]
        pub others: usize = 100_usize,
        /// Ways in which genotypes may be alike that are tried at once.
        #[schemars(range(min = 1, max = 10_000))]
        pub shapes: usize = 64_usize,
        /// Whether all ways that explain the results are averaged; or the likeliest is taken.
        pub average: bool = true,
        /// Whether counts of operations and paths are looked at, beside values.
        pub structure: bool = true,
        /// Whether the answer is what is thought best; or what measured best.
        pub smooth: bool = true,
        /// Most observations that are learnt from: the best ones, and half as many of the latest.
        #[schemars(range(min = 10, max = 5000))]
        pub max_observations: usize = 300_usize,
        /// Networks thought best that are trained again for longer in the end, to answer with the best
        /// of them; 0 for no such look.
        #[schemars(range(min = 0, max = 100))]
        pub final_look: usize = 0_usize,
        /// Epochs of the last look.
        #[schemars(range(min = 1, max = 100_000))]
        pub final_look_epochs: u32 = 200_u32,
        /// Trainings after which the last look is taken, once anything was learnt; it ends the search.
        #[schemars(range(min = 3, max = 1_000_000))]
        pub final_look_after: usize = 100_usize,
    }
}
