"""The elements of one data set by tag, without the checks that each element has already passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement


class Elements(dict[int, "DataElement"]):
    """Elements by tag (a plain int), in any order.

    pydicom's `Dataset` looks at every element it is given, which takes half of a small image's time; these have been
    looked at when they were made, once for all rows that share them.
    """

    __slots__ = ()

    def add(self, element: DataElement) -> None:
        """Put an element, whatever was at its tag."""
        self[int(element.tag)] = element

    def value(self, keyword: str) -> Any:
        """Return the value of an attribute; None where it isn't there."""
        element = self.get(tag_for_keyword(keyword) or 0)
        return None if element is None else element.value

    def dataset(self) -> Dataset:
        """Return them as pydicom's own."""
        dataset = Dataset()
        for element in self.values():
            dataset.add(element)
        return dataset
