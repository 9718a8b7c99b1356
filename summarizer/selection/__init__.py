"""Which sentences make the summary."""
