// The hand-written kernels, as plain functions on raw memory.
//
// Feature maps lie with the channels innermost: `[rows, channels]`, a row per example and place.
// Each kernel works on the rows or examples `begin..end` only; the caller divides the work among
// threads. `kernels.inc` holds the one source; it is compiled once for every instruction set, and
// `best_kernels` picks at run time what the processor has.
#pragma once
#include <cstdint>

namespace nas {

// A depthwise convolution's or a pool's window.
struct Window {
  int64_t kernel, stride, padding, dilation;
  int64_t height, width;          // of the input
  int64_t out_height, out_width;  // of the output
  int64_t channels;
};

// The maps between which a convolution goes; both have one height and width.
struct Map {
  int64_t height, width, channels, out_channels;
};

struct Kernels {
  const char* name;

  // sums[c] += Σ x, sums[channels + c] += Σ x² over rows begin..end.
  void (*moments)(const float* x, int64_t channels, int64_t begin, int64_t end, double* sums);

  // out = bias + Σ_k scale_k · x_k for k < n_terms, then max(0, ·) if relu. scale: [n_terms, channels].
  void (*scaled_sum)(const float* const* x, int64_t n_terms, const float* scale, const float* bias,
                     bool relu, int64_t channels, int64_t begin, int64_t end, float* out);

  // sums[k·channels + c] += Σ g · x_k for k < n_terms, sums[n_terms·channels + c] += Σ g,
  // where g counts as zero wherever `gate` (if any) is not positive.
  void (*dot_products)(const float* g, const float* gate, const float* const* x, int64_t n_terms,
                       int64_t channels, int64_t begin, int64_t end, double* sums);

  // out_k = a_k · g + b_k · x_k + c_k for k < n_terms; g gated as above; x_k may be null where b_k
  // and c_k are zero. a, b, c: [n_terms, channels].
  void (*scaled_gradients)(const float* g, const float* gate, const float* const* x,
                           int64_t n_terms, const float* a, const float* b, const float* c,
                           int64_t channels, int64_t begin, int64_t end, float* const* out);

  // sums[tap·channels + c] += Σ g · x over examples begin..end; taps row by row.
  void (*depthwise_weight_gradient)(const float* x, const float* g, const Window& window,
                                    int64_t begin, int64_t end, float* sums);

  // Maximum over 3×3 windows with padding 1, and which tap it was; output rows (example, row)
  // begin..end.
  void (*max_pool)(const float* x, const Window& window, int64_t begin, int64_t end, float* out,
                   uint8_t* tap);
  // The gradient of the input; input rows (example, row) begin..end.
  void (*max_pool_gradient)(const float* g, const uint8_t* tap, const Window& window,
                            int64_t begin, int64_t end, float* out);

  // Mean over 3×3 windows with padding 1 that is not counted; output rows begin..end.
  void (*average_pool)(const float* x, const Window& window, int64_t begin, int64_t end,
                       float* out);
  void (*average_pool_gradient)(const float* g, const Window& window, int64_t begin, int64_t end,
                                float* out);

  // Mean over 2×2 windows with stride 2 and no padding; output rows begin..end.
  void (*average_pool_2x2)(const float* x, const Window& window, int64_t begin, int64_t end,
                           float* out);
  void (*average_pool_2x2_gradient)(const float* g, const Window& window, int64_t begin,
                                    int64_t end, float* out);

  // 3×3 convolutions with stride 1 and padding 1, in tiles of 2×2 results: ⌈height/2⌉·⌈width/2⌉ an
  // example, row by row. All channels are multiples of `width`.
  int64_t width;
  // The weight [out, 3, 3, in] in Winograd's form, [16, in, out]; turned by half a circle and
  // transposed, [16, out, in], it makes the input's gradient of the result's.
  void (*winograd_weight)(const float* weight, const Map& map, bool turned, float* to);
  // The results of the tiles begin..end; weight: [16, channels, out_channels] as made above.
  void (*winograd)(const float* x, const float* weight, const Map& map, int64_t begin, int64_t end,
                   float* out);
  // sums[(tap·channels + i)·out_channels + o] += Σ g · x over the tiles begin..end.
  void (*winograd_weight_gradient)(const float* x, const float* g, const Map& map, int64_t begin,
                                   int64_t end, float* sums);
};

extern const Kernels kernels_portable;
#if defined(__x86_64__)
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
#endif

}  // namespace nas
