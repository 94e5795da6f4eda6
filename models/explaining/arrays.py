"""Arrays of explanations."""

import numpy as np
import numpy.typing as npt

#: Heat of each pixel, 0 to 1: (rows, columns).
HeatMap = npt.NDArray[np.float32]
