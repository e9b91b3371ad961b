"""The screens, dialogs and the palette."""
