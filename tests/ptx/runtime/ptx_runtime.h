// All that a translated module needs.
#pragma once
#include "ptx_float.h"
#include "ptx_integer.h"
#include "ptx_launch.h"
#include "ptx_memory.h"
#include "ptx_warp.h"
