"""How templates write programmes. Holds no words."""

from django import template

from karez.funds import words

register = template.Library()
register.filter("programme_words", words.programme_words)
