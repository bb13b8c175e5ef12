"""Addresses of the pages of the ledger."""

from django.urls import path

from karez.ledger import count_views, views

app_name = "ledger"
urlpatterns = [
    path("ledger/", views.books, name="books"),
    path("ledger/books/<id:book_id>/", views.book, name="book"),
    path("ledger/accounts/<id:account_id>/", views.account, name="account"),
    path("ledger/accounts/<id:account_id>/counts/", count_views.of_account, name="account_counts"),
    path("ledger/counts/", count_views.waiting, name="counts"),
    path("ledger/counts/<id:count_id>/countersign/", count_views.countersign, name="countersign"),
    path("ledger/vouchers/<id:voucher_id>/", views.voucher, name="voucher"),
    path("ledger/vouchers/<id:voucher_id>/reverse/", views.reverse_voucher, name="reverse"),
    path("ledger/vouchers/<id:voucher_id>/attach/", views.attach_document, name="attach"),
    path("ledger/waiting/", views.pending, name="pending"),
    path("ledger/sets/<id:set_id>/", views.voucher_set, name="set"),
]
