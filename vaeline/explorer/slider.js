// A slider for one latent: the browser's own range input, with its label and its value in words.
export default {
  template: `
    <div class="slide">
      <label :for="name">{{ name }}</label>
      <input type="range" :id="name" :min="-limit" :max="limit" step="0.1" :value="value" :aria-valuetext="valueText"
        @input="move($event.target.valueAsNumber)">
      <span aria-hidden="true">{{ valueText }}</span>
    </div>`,
  props: ["name", "limit", "start"],
  data() { return { value: this.start }; },
  computed: {
    valueText() { return (this.value > 0 ? "+" : "") + this.value.toFixed(1) + " sd"; },
  },
  methods: {
    move(value) { this.value = value; this.$emit("moved", value); },
  },
};
