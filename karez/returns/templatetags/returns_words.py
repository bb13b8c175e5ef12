"""How templates write measures and their units. Holds no words."""

from django import template

from karez.returns import words

register = template.Library()
register.filter("unit_words", words.unit_words)
register.filter("measure_words", words.measure_words)
register.filter("other_words", words.other_words)
