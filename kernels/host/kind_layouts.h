// The layouts of all kinds of a list.
#pragma once
#include "../kind_list.cuh"
#include "describe.h"

// layout_of(const Kind*) describes a kind; one without does not compile.
template <class... Kinds>
std::vector<Layout> layouts_of(const KindList<Kinds...>*) {
  return {layout_of(static_cast<const Kinds*>(nullptr))...};
}
