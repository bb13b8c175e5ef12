"""The region, its years and their states; the guard every fact table uses. Knows no facts itself."""
