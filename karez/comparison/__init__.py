"""Years, places, printed chapters and packages of other installations side by side."""
